#include <gmock/gmock.h>
#include <sys/stat.h>

#include "temporary_directory.hpp"
#include "workflow_fixture.hpp"

namespace kernmill {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Encryption, IsOffUnlessTheWorkflowNamesAKey) {
  EXPECT_FALSE(parse_good(prepare).workflow.encryption.on());
}

TEST(Encryption, TakesAFileBesideTheWorkflowOrAVariable) {
  const auto by_file = parse_good("encryption: {key_file: secret/key}\n" + prepare).workflow;
  EXPECT_EQ(by_file.encryption.key_file, "/flows/secret/key");
  EXPECT_EQ(workflow_from_json(to_json(by_file)).encryption.key_file, "/flows/secret/key");
  const auto by_name = parse_good("encryption: {key_env: MY_KEY}\n" + prepare).workflow;
  EXPECT_EQ(by_name.encryption.key_env, "MY_KEY");
  EXPECT_EQ(to_json(workflow_from_json(to_json(by_name)).encryption), (Json{{"key_env", "MY_KEY"}}));
}

TEST(Encryption, OfBothOrNeitherIsAMistake) {
  for (const char* text : {"encryption: {}\n", "encryption: {key_file: key, key_env: MY_KEY}\n"})
    EXPECT_THAT(parse(text + prepare).text(),
                AllOf(HasSubstr("test.yaml:1:"), HasSubstr("takes either 'key_file' or 'key_env'")));
}

TEST(Encryption, AKeyThatIsMissingOrTooOpenIsToldAtOnce) {
  const kernmill::testing::TemporaryDirectory directory;
  const auto key = directory.path() / "key";
  const auto problem = [&] {
    Diagnostics diagnostics;
    Files files = iris_everywhere();
    files.key_problem = real_files().key_problem;
    parse_workflow({"/flows/test.yaml", "encryption: {key_file: " + key.string() + "}\n" + prepare}, {},
                   files, diagnostics);
    return render(diagnostics, false);
  };
  EXPECT_THAT(problem(), AllOf(HasSubstr("test.yaml:1:13: error"), HasSubstr("No such file"),
                               HasSubstr("openssl rand -hex 32 > " + key.string())));
  std::ofstream(key) << "x";
  chmod(key.c_str(), 0640);
  EXPECT_THAT(problem(), AllOf(HasSubstr("others may use it (its mode is 0640)"),
                               HasSubstr("chmod 600 " + key.string())));
  chmod(key.c_str(), 0600);
  EXPECT_EQ(problem(), "");
}

}  // namespace
}  // namespace kernmill
