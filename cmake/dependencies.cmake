# Everything from Debian's packages; scripts/install-build-deps names them.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(LIBARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
find_path(TOMLPLUSPLUS_HEADERS toml++/toml.h REQUIRED)  # used as headers alone; see src/config/document.cc
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)

# The program that is on the way of every start links these statically, so that the dynamic loader has little to do.
find_library(SQLITE_STATIC libsqlite3.a REQUIRED)
find_library(SECCOMP_STATIC libseccomp.a REQUIRED)
