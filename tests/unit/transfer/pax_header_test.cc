#include "transfer/pax_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unpack/tar_reader.h"

namespace berth::transfer {
namespace {

using unpack::EntryType;
using unpack::TarEntry;

class Text : public unpack::ChunkSource {
 public:
  explicit Text(const std::string& text) : rest_(std::as_bytes(std::span(text))) {}
  Result<std::span<const std::byte>> next() override { return std::exchange(rest_, {}); }

 private:
  std::span<const std::byte> rest_;
};

// What this project's reader makes of it.
TarEntry read_back(const TarEntry& entry) {
  const Result<std::string> header = archive_header(entry);
  EXPECT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->size() % 512, 0U);
  const uint64_t bytes = archived_bytes(entry);
  const std::string all =
      *header + std::string(bytes > 4096 ? 0 : bytes + archive_padding(bytes), 'x') + archive_end();
  Text text(all);
  const unpack::Limits limits;
  unpack::TarReader reader(text, limits);
  TarEntry found;
  const Result<bool> more = reader.next(found);
  EXPECT_TRUE(more && *more) << (more ? "it is empty" : more.error().message);
  return found;
}

void expect_same(const TarEntry& entry) {
  const TarEntry found = read_back(entry);
  EXPECT_EQ(found.type, entry.type);
  EXPECT_EQ(found.path, entry.path);
  EXPECT_EQ(found.target, entry.target);
  EXPECT_EQ(found.mode, entry.mode);
  EXPECT_EQ(found.uid, entry.uid);
  EXPECT_EQ(found.gid, entry.gid);
  EXPECT_EQ(found.mtime.tv_sec, entry.mtime.tv_sec);
  EXPECT_EQ(found.mtime.tv_nsec, entry.mtime.tv_nsec);
  EXPECT_EQ(found.size, entry.size);
  EXPECT_EQ(found.device_major, entry.device_major);
  EXPECT_EQ(found.device_minor, entry.device_minor);
  EXPECT_EQ(found.xattrs, entry.xattrs);
}

TEST(PaxHeader, has_what_an_entry_has) {
  expect_same({.path = "a", .mode = 0644, .uid = 5, .gid = 6, .mtime = {7, 0}, .size = 8});
  expect_same({.type = EntryType::directory, .path = "d/", .mode = 01777});
  expect_same(
      {.type = EntryType::character_device, .path = "c", .device_major = 4095, .device_minor = 1048575});
  expect_same({.type = EntryType::symlink, .path = "l", .target = "../x", .mode = 0777});
  expect_same({.type = EntryType::hard_link, .path = "h", .target = "l"});
}

TEST(PaxHeader, has_what_a_block_has_no_room_for) {
  for (const size_t length : {99U, 100U, 101U, 500U, 990U, 1005U, 4000U}) {
    expect_same({.path = std::string(length, 'p'), .size = 1});
    expect_same({.type = EntryType::symlink, .path = "l", .target = std::string(length, 't')});
  }
  expect_same({.path = "big", .uid = 4294967294, .gid = 2097152, .size = uint64_t{9} << 33});
  for (const timespec time : {timespec{1, 500}, timespec{-1, 0}, timespec{-2, 500'000'000}, timespec{-1, 1},
                              timespec{int64_t{1} << 40, 999'999'999}})
    expect_same({.path = "t", .mtime = time});
  expect_same(
      {.path = std::string("\xff\n\x1b=", 4),
       .xattrs = {{"user.a", std::string("\0\n=", 3)}, {"security.capability", std::string(20, '\1')}}});
}

TEST(PaxHeader, says_where_a_sparse_files_data_is) {
  const TarEntry entry{
      .path = "sparse", .size = 1 << 30, .sparse = true, .segments = {{512, 10}, {100000, 1}}};
  const TarEntry found = read_back(entry);
  EXPECT_TRUE(found.sparse);
  EXPECT_EQ(found.path, "sparse");
  EXPECT_EQ(found.size, 1U << 30);
  ASSERT_GE(found.segments.size(), 2U);
  EXPECT_EQ(found.segments[1].offset, 100000U);
  EXPECT_EQ(found.segments[1].length, 1U);
  EXPECT_EQ(archived_bytes(entry), 11U);
  EXPECT_TRUE(read_back({.path = "hole", .size = 5000, .sparse = true}).sparse);
}

TEST(PaxHeader, refuses_what_no_archive_can_hold) {
  EXPECT_FALSE(archive_header({.path = "a", .xattrs = {{"user.a=b", "c"}}}));
  EXPECT_FALSE(archive_header({.path = "a", .xattrs = {{"user.a", std::string(2 << 20, 'x')}}}));
}

}  // namespace
}  // namespace berth::transfer
