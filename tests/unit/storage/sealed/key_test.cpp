#include "kernmill/storage/sealed/key.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "temporary_directory.hpp"

namespace kernmill::storage {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string digits = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

class KeyFiles : public ::testing::Test {
 protected:
  std::filesystem::path put(const std::string& content, mode_t mode = 0600) const {
    const auto file = directory_.path() / "key";
    std::ofstream(file, std::ios::binary) << content;
    chmod(file.c_str(), mode);
    return file;
  }
  static std::string refusal(const std::filesystem::path& file) {
    try {
      static_cast<void>(Key::from_file(file));
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }
  kernmill::testing::TemporaryDirectory directory_;
};

void expect_counting(const Key& key) {
  for (std::size_t i = 0; i < Key::size; ++i) EXPECT_EQ(key.bytes()[i], static_cast<std::byte>(i));
}

TEST_F(KeyFiles, HoldBytesOrDigits) {
  std::string raw;
  for (char i = 0; i < 32; ++i) raw += i;
  for (const std::string& content : {raw, digits, digits + "\n", digits + "\r\n"})
    expect_counting(Key::from_file(put(content)));
}

TEST_F(KeyFiles, ThatOthersMayUseAreRefused) {
  for (const mode_t mode : {0640, 0604, 0620, 0610, 0666}) {
    EXPECT_THAT(refusal(put(digits, mode)),
                AllOf(HasSubstr("others may use this key"), HasSubstr("chmod 600 "), HasSubstr("/key")))
        << mode;
  }
  EXPECT_EQ(refusal(put(digits, 0400)), "");
}

TEST_F(KeyFiles, OfAnotherLengthOrKindAreRefusedWithoutTheirContent) {
  const std::string tail = digits.substr(1);
  for (const std::string& content : {std::string(), std::string("secret"), tail, tail + "g", digits + "0"})
    EXPECT_THAT(refusal(put(content)), AllOf(HasSubstr("is no key of 32 bytes or 64 hexadecimal digits"),
                                             Not(HasSubstr("secret")), Not(HasSubstr(digits.substr(1, 20)))));
  EXPECT_THAT(refusal(directory_.path()), HasSubstr("is not a regular file"));
}

TEST_F(KeyFiles, ThatAreNotThereAreNamed) {
  EXPECT_THAT(refusal(directory_.path() / "absent"),
              AllOf(HasSubstr("absent: cannot read the key"), HasSubstr("Check the path")));
}

TEST(KeyVariable, HoldsDigits) {
  setenv("KERNMILL_TEST_KEY", digits.c_str(), 1);
  expect_counting(Key::from_environment("KERNMILL_TEST_KEY"));
}

TEST(KeyVariable, ThatIsAbsentOrWrongIsNamedWithoutItsContent) {
  unsetenv("KERNMILL_TEST_KEY");
  const auto refusal = [] {
    try {
      static_cast<void>(Key::from_environment("KERNMILL_TEST_KEY"));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal(), HasSubstr("no variable KERNMILL_TEST_KEY"));
  setenv("KERNMILL_TEST_KEY", "tell-nobody", 1);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("KERNMILL_TEST_KEY"), Not(HasSubstr("tell-nobody"))));
}

/// Whether a child that has done `work` leaves a core file when it crashes.
bool leaves_a_core(const std::filesystem::path& folder, const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    if (chdir(folder.c_str()) != 0 || setrlimit(RLIMIT_CORE, &all) != 0) _exit(1);
    work();
    signal(SIGABRT, SIG_DFL);  // a sanitizer would catch it
    abort();
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WCOREDUMP(status);
}

TEST_F(KeyFiles, AProcessThatHasReadAKeyMayHaveNoCoreFile) {
  static_cast<void>(Key::from_file(put(digits)));
  rlimit core{};
  getrlimit(RLIMIT_CORE, &core);
  EXPECT_LE(core.rlim_max, 1U);  // fewer bytes than any has; to the kernel a reason to make none
}

TEST_F(KeyFiles, AProcessThatHasReadAKeyLeavesNoCoreFile) {
  if (!leaves_a_core(directory_.path(), [] {})) GTEST_SKIP() << "no process leaves one here";
  const auto file = put(digits);
  EXPECT_FALSE(leaves_a_core(directory_.path(), [&] { static_cast<void>(Key::from_file(file)); }));
  EXPECT_FALSE(leaves_a_core(directory_.path(), [] {
    setenv("KERNMILL_TEST_KEY", digits.c_str(), 1);
    static_cast<void>(Key::from_environment("KERNMILL_TEST_KEY"));
  }));
}

}  // namespace
}  // namespace kernmill::storage
