#include "unpack/tar_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../support/tar_builder.h"

namespace berth::unpack {
namespace {

using test::TarBuilder;
using testing::ElementsAre;
using testing::HasSubstr;

// Gives a text in pieces of `step` bytes.
class TextSource : public ChunkSource {
 public:
  TextSource(std::string text, size_t step) : text_(std::move(text)), step_(step) {}
  Result<std::span<const std::byte>> next() override {
    const auto all = std::as_bytes(std::span(text_));
    const size_t n = std::min(step_, all.size() - at_);
    at_ += n;
    return all.subspan(at_ - n, n);
  }

 private:
  std::string text_;
  size_t step_;
  size_t at_ = 0;
};

struct Read {
  std::vector<TarEntry> entries;
  std::vector<std::string> contents;  // holes as NUL bytes
  std::string error;
};

Read read(const std::string& tar, size_t step = 1 << 20, const Limits& limits = {}) {
  TextSource source(tar, step);
  TarReader reader(source, limits);
  Read result;
  TarEntry entry;
  while (true) {
    const Result<bool> more = reader.next(entry);
    if (!more) result.error = more.error().message;
    if (!more || !*more) return result;
    std::string content(entry.size, '\0');
    while (true) {
      const Result<TarReader::Data> data = reader.read_data();
      if (!data) {
        result.error = data.error().message;
        return result;
      }
      if (data->bytes.empty()) break;
      content.replace(data->offset, data->bytes.size(), reinterpret_cast<const char*>(data->bytes.data()),
                      data->bytes.size());
    }
    result.entries.push_back(entry);
    result.contents.push_back(content);
  }
}

TEST(TarReader, ReadsWhateverThePiecesAre) {
  const std::string tar = TarBuilder().dir("d/").file("d/f", std::string(1500, 'x')).file("e", "").str();
  for (const size_t step : {size_t{1}, size_t{7}, size_t{511}, size_t{512}, size_t{513}, size_t{100'000}}) {
    const Read got = read(tar, step);
    ASSERT_EQ(got.error, "");
    ASSERT_EQ(got.entries.size(), 3U);
    EXPECT_EQ(got.entries[0].type, EntryType::directory);
    EXPECT_EQ(got.entries[1].path, "d/f");
    EXPECT_EQ(got.contents[1], std::string(1500, 'x'));
    EXPECT_EQ(got.entries[2].size, 0U);
  }
}

TEST(TarReader, PaxRecordsReplaceTheHeader) {
  const std::string name = "n\xcc\x83" + std::string(300, 'a');  // decomposed letters stay as they are
  const Read got = read(TarBuilder()
                            .add({.path = "short",
                                  .type = '2',
                                  .target = "t",
                                  .pax = {{"path", name},
                                          {"linkpath", "/else\xff"},
                                          {"uid", "4294967294"},
                                          {"gid", "3000000000"},
                                          {"mtime", "-1.25"},
                                          {"SCHILY.xattr.user.raw", std::string("a\0=\n", 4)}}})
                            .str());
  ASSERT_EQ(got.error, "");
  const TarEntry& entry = got.entries.at(0);
  EXPECT_EQ(entry.path, name);
  EXPECT_EQ(entry.target, "/else\xff");
  EXPECT_EQ(entry.uid, 4294967294U);
  EXPECT_EQ(entry.gid, 3000000000U);
  EXPECT_EQ(entry.mtime.tv_sec, -2);
  EXPECT_EQ(entry.mtime.tv_nsec, 750'000'000);
  EXPECT_THAT(entry.xattrs, ElementsAre(std::pair(std::string("user.raw"), std::string("a\0=\n", 4))));
}

TEST(TarReader, ExtensionsAreForOneEntryOnly) {
  const Read got = read(TarBuilder().add({.path = "a", .pax = {{"path", "b"}}}).file("c", "").str());
  ASSERT_EQ(got.entries.size(), 2U);
  EXPECT_EQ(got.entries[0].path, "b");
  EXPECT_EQ(got.entries[1].path, "c");
}

TEST(TarReader, LongGnuNames) {
  const std::string path = std::string(150, 'p');
  const std::string target = std::string(150, 't');
  const Read got = read(TarBuilder().add({.path = path, .type = '2', .target = target}).str());
  ASSERT_EQ(got.error, "");
  EXPECT_EQ(got.entries.at(0).path, path);
  EXPECT_EQ(got.entries.at(0).target, target);
}

TEST(TarReader, Base256Numbers) {
  const Read got = read(TarBuilder().add({.path = "a", .uid = 3'000'000, .mtime = -5}).str());
  ASSERT_EQ(got.error, "");
  EXPECT_EQ(got.entries.at(0).uid, 3'000'000U);
  EXPECT_EQ(got.entries.at(0).mtime.tv_sec, -5);
}

TEST(TarReader, OwnersThatAreNoIdAreRefused) {
  for (const std::string uid : {"4294967295", "4294967296", "18446744073709551616", "-1", "", "1x"}) {
    const Read got = read(TarBuilder().add({.path = "a", .pax = {{"uid", uid}}}).str());
    if (uid.empty()) continue;  // an empty value takes the record away
    EXPECT_THAT(got.error, HasSubstr("\"a\"")) << uid;
  }
  EXPECT_THAT(read(TarBuilder().add({.path = "a", .gid = -1}).str()).error, HasSubstr("group -1"));
  EXPECT_THAT(read(TarBuilder().add({.path = "a", .uid = int64_t{1} << 40}).str()).error, HasSubstr("owner"));
}

TEST(TarReader, PaxSparseFiles) {
  const std::string data = "AAABB";
  const std::string expected = std::string("\0\0AAA\0\0\0\0\0BB\0", 13);
  const Read v00 = read(TarBuilder()
                            .add({.path = "s",
                                  .data = data,
                                  .pax = {{"GNU.sparse.size", "13"},
                                          {"GNU.sparse.numblocks", "2"},
                                          {"GNU.sparse.offset", "2"},
                                          {"GNU.sparse.numbytes", "3"},
                                          {"GNU.sparse.offset", "10"},
                                          {"GNU.sparse.numbytes", "2"}}})
                            .str());
  ASSERT_EQ(v00.error, "");
  EXPECT_EQ(v00.contents.at(0), expected);
  const Read v01 = read(
      TarBuilder()
          .add({.path = "GNUSparseFile.0/s",
                .data = data,
                .pax = {{"GNU.sparse.size", "13"}, {"GNU.sparse.map", "2,3,10,2"}, {"GNU.sparse.name", "s"}}})
          .str());
  ASSERT_EQ(v01.error, "");
  EXPECT_EQ(v01.contents.at(0), expected);
  EXPECT_EQ(v01.entries.at(0).path, "s");
  std::string map = "2\n2\n3\n10\n2\n";
  map.resize(512);
  const Read v10 = read(TarBuilder()
                            .add({.path = "GNUSparseFile.0/s",
                                  .data = map + data,
                                  .pax = {{"GNU.sparse.major", "1"},
                                          {"GNU.sparse.minor", "0"},
                                          {"GNU.sparse.realsize", "13"},
                                          {"GNU.sparse.name", "s"}}})
                            .file("after", "x")
                            .str(),
                        100);
  ASSERT_EQ(v10.error, "");
  EXPECT_EQ(v10.contents.at(0), expected);
  EXPECT_EQ(v10.entries.at(1).path, "after");
}

TEST(TarReader, SparseMapsThatLieAreRefused) {
  for (const std::string map : {"0,6", "5,3,0,2", "0,3,2,2", "20,5", "0", "a,5", "0,18446744073709551615",
                                "18446744073709551615,5", "0,3"}) {
    const Read got = read(
        TarBuilder()
            .add({.path = "s", .data = "AAABB", .pax = {{"GNU.sparse.size", "13"}, {"GNU.sparse.map", map}}})
            .str());
    EXPECT_THAT(got.error, HasSubstr("sparse map")) << map;
  }
}

TEST(TarReader, DamageIsRefused) {
  const std::string good = TarBuilder().file("name", std::string(600, 'x')).str();
  std::string bad_checksum = good;
  bad_checksum[0] = 'm';
  EXPECT_THAT(read(bad_checksum).error, HasSubstr("checksum"));
  EXPECT_THAT(read(good.substr(0, 700)).error, HasSubstr("ends in the middle"));
  EXPECT_THAT(read(good.substr(0, 100)).error, HasSubstr("ends in the middle"));
  EXPECT_THAT(read(TarBuilder().add({.path = "a", .type = 'x', .data = "99 path=b\n"}).str()).error,
              HasSubstr("malformed"));
  EXPECT_THAT(read(TarBuilder().add({.path = "a", .type = 'x', .data = "6 pat\n"}).str()).error,
              HasSubstr("malformed"));
  EXPECT_THAT(read(TarBuilder().add({.path = "a", .type = 'V'}).str()).error, HasSubstr("unknown type"));
  EXPECT_THAT(read(TarBuilder().add({.path = "a", .type = '3', .device_major = 4096}).str()).error,
              HasSubstr("device number"));
}

TEST(TarReader, NulInANameIsRefused) {
  const Read got = read(TarBuilder().add({.path = "a", .pax = {{"path", std::string("b\0c", 3)}}}).str());
  EXPECT_THAT(got.error, HasSubstr("NUL"));
}

TEST(TarReader, ExtendedHeadersAreBoundedTogether) {
  TarBuilder tar;
  for (int i = 0; i < 3; ++i) {
    tar.add({.path = "x", .type = 'x', .data = TarBuilder::pax_record("comment", std::string(400'000, 'c'))});
  }
  EXPECT_THAT(read(tar.file("a", "").str()).error, HasSubstr("at most"));
}

TEST(TarReader, EntriesAreCounted) {
  Limits limits;
  limits.entries = 2;
  EXPECT_THAT(read(TarBuilder().dir("a").dir("b").dir("c").str(), 4096, limits).error,
              HasSubstr("more than 2 entries"));
}

TEST(TarReader, AnArchiveWithoutItsEndMarkIsComplete) {
  const Read got = read(TarBuilder().file("a", "x").unfinished());
  EXPECT_EQ(got.error, "");
  EXPECT_EQ(got.entries.size(), 1U);
  EXPECT_EQ(read("").error, "");
}

TEST(TarReader, AnArchiveWithoutTheLastPaddingIsComplete) {
  // As umoci's insert writes it.
  const std::string tar = TarBuilder().file("a", "yes").str().substr(0, 512 + 3);
  for (const size_t step : {size_t{1}, size_t{100'000}}) {
    const Read got = read(tar, step);
    EXPECT_EQ(got.error, "");
    EXPECT_THAT(got.contents, ElementsAre("yes"));
  }
  EXPECT_THAT(read(tar.substr(0, 512 + 2)).error, HasSubstr("in the middle of an entry"));
}

TEST(TarReader, AnOldDirectoryIsAFileWithASlash) {
  EXPECT_EQ(read(TarBuilder().file("d/", "").str()).entries.at(0).type, EntryType::directory);
}

}  // namespace
}  // namespace berth::unpack
