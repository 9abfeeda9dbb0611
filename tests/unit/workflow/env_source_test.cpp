#include "kernmill/workflow/env_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kernmill {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(EnvSource, IsReadFromWhatAStageHas) {
  EXPECT_FALSE(env_source("plain"));
  const auto named = env_source({{"from", "env"}, {"name", "SITE_TOKEN"}});
  ASSERT_TRUE(named);
  EXPECT_EQ(named->from, EnvSource::From::environment);
  EXPECT_EQ(named->name, "SITE_TOKEN");
  const auto file = env_source({{"from", "file"}, {"path", "/home/ann/token"}});
  ASSERT_TRUE(file);
  EXPECT_EQ(file->from, EnvSource::From::file);
  EXPECT_EQ(file->name, "/home/ann/token");
}

TEST(EnvSource, AStageIsHandedOverWhatItNamesAndATaskItsKey) {
  Workflow workflow;
  workflow.encryption.key_env = "KEY";
  Stage command;
  command.env = {{"A", "text"},
                 {"B", {{"from", "env"}, {"name", "TOKEN"}}},
                 {"C", {{"from", "env"}, {"name", "TOKEN"}}},
                 {"D", {{"from", "file"}, {"path", "/f"}}}};
  EXPECT_THAT(variables_needed(workflow, command), ElementsAre("TOKEN"));
  Stage task;
  task.kind = TaskKind::train;
  EXPECT_THAT(variables_needed(workflow, task), ElementsAre("KEY"));
  task.env = {{"KEY", {{"from", "file"}, {"path", "/f"}}}};
  EXPECT_THAT(variables_needed(workflow, task), IsEmpty()) << "it has the key from there";
}

TEST(EnvSource, KnowsWhatLooksLikeASecretByItsLastWord) {
  for (const char* name :
       {"TOKEN", "db_password", "apiKey", "API-KEY", "AWS_SECRET_ACCESS_KEY", "clientSecret"})
    EXPECT_TRUE(looks_like_a_secret(name, "0a1b2c3d4e5f")) << name;
  for (const char* name : {"TOKENIZER", "KEY_FILE", "keyboard", "monkey", "SECRET_SANTA", "password_length"})
    EXPECT_FALSE(looks_like_a_secret(name, "0a1b2c3d4e5f")) << name;
  for (const char* value : {"", "short", "4096000000", "/etc/key.pem", "~/.ssh/id_rsa", "<|endoftext|>",
                            "${{ stages.a.token }}", "two words here"})
    EXPECT_FALSE(looks_like_a_secret("TOKEN", value)) << value;
}

}  // namespace
}  // namespace kernmill
