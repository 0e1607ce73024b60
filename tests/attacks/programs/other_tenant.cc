// A process of one project at the files of another's in a volume that both have.
//
// Usage: other_tenant DIRECTORY FILE: a directory and a file in it that only their owner may use
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "attempts.h"

int main(int argc, char** argv) {
  attack::Attempts attempts;
  if (argc != 3) return 2;
  const std::string directory = argv[1];
  const std::string file = argv[2];
  struct stat st{};
  if (::stat(directory.c_str(), &st) != 0) return 2;
  attempts.must_hold(st.st_uid != ::geteuid(), "be the owner");
  attempts.must_fail(::open(file.c_str(), O_RDONLY), "read the file");
  attempts.must_fail(::open(file.c_str(), O_WRONLY), "write the file");
  attempts.must_fail(::open(directory.c_str(), O_RDONLY | O_DIRECTORY), "list the directory");
  attempts.must_fail(::open((directory + "/new").c_str(), O_WRONLY | O_CREAT, 0600), "make a file there");
  attempts.must_fail(::unlink(file.c_str()), "remove the file");
  attempts.must_fail(::rename(directory.c_str(), (directory + "-mine").c_str()), "take the directory away");
  attempts.must_fail(::chmod(directory.c_str(), 0777), "open the directory");
  attempts.must_fail(::chown(directory.c_str(), ::geteuid(), ::getegid()), "own the directory");
  attempts.must_fail(::chown(directory.c_str(), 0, 0), "give the directory to root");
  attempts.must_fail(::setxattr(directory.c_str(), "user.x", "1", 1, 0), "set an attribute");
  attempts.must_fail(::setuid(0), "become root");
  attempts.must_fail(::setuid(st.st_uid), "become the owner");
  attempts.must_fail(::setgid(st.st_uid), "become the owner's group");
  return attempts.finish();
}
