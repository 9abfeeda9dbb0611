#include "kernmill/exec/attempt/secrets.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "kernmill/exec/attempt/attempt.hpp"
#include "other_user.hpp"
#include "temporary_directory.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::TemporaryDirectory;
using From = EnvSource::From;

class SecretFile : public ::testing::Test {
 protected:
  void write(const std::string& text) const {
    std::ofstream(file(), std::ios::binary) << text;
    ::chmod(file().c_str(), 0600);
  }
  [[nodiscard]] fs::path file() const { return folder_.path() / "token"; }
  [[nodiscard]] std::string value() const {
    Environment none;
    return HandedOver(none).value_of("TOKEN", {From::file, file()});
  }
  [[nodiscard]] std::string refusal() const {
    try {
      return "no refusal: " + value();
    } catch (const AttemptError& error) {
      return error.what();
    }
  }
  TemporaryDirectory folder_;
};

TEST(HandedOver, GivesWhatTheJobWasGivenAndLeavesNothingOfItBehind) {
  Environment environment{{"A", "1"}, {handed_over_name("TOKEN"), "t"}, {"B", "2"}};
  const HandedOver secrets(environment);
  EXPECT_EQ(environment, (Environment{{"A", "1"}, {"B", "2"}}));
  EXPECT_EQ(secrets.value_of("ANY", {From::environment, "TOKEN"}), "t");
  try {
    FAIL() << secrets.value_of("ANY", {From::environment, "OTHER"});
  } catch (const AttemptError& error) {
    EXPECT_THAT(error.what(), HasSubstr("export it, and kernmill resume"));
  }
}

TEST_F(SecretFile, IsTakenWithoutTheEndOfItsLastLine) {
  for (const char* text : {"t 1", "t 1\n", "t 1\r\n"}) {
    write(text);
    EXPECT_EQ(value(), "t 1");
  }
  write("two\nlines\n");
  EXPECT_EQ(value(), "two\nlines");
}

TEST_F(SecretFile, ThatOthersMayUseOrThatIsNoneIsRefusedWithoutItsContent) {
  EXPECT_THAT(refusal(), HasSubstr("No such file"));
  write("hush");
  for (const mode_t mode : {0640U, 0604U, 0620U}) {
    ::chmod(file().c_str(), mode);
    EXPECT_THAT(refusal(), HasSubstr("others may use it; chmod 600")) << mode;
  }
  write(std::string("hush\0hush", 9));
  EXPECT_THAT(refusal(), HasSubstr("zero byte"));
  write(std::string(200'000, 'h'));
  EXPECT_THAT(refusal(), HasSubstr("longer than 128 KiB"));
  fs::remove(file());
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  EXPECT_THAT(refusal(), HasSubstr("not a regular file"));
  fs::remove(file());
  if (!testing::may_act_as_others()) return;
  write("hush");
  ASSERT_EQ(::chown(file().c_str(), testing::mallory, 0), 0);
  EXPECT_THAT(refusal(), HasSubstr("another user"));
}

}  // namespace
}  // namespace kernmill::exec
