// Values that a workflow names and that are written nowhere.
#include <fstream>

#include <gmock/gmock.h>

#include "kernmill/base/sha256.hpp"
#include "kill_world.hpp"
#include "other_user.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* secret = "s3cr3t-of-the-test";

class Secrets : public ::testing::Test {
 protected:
  Secrets() : world("diamond.yaml") {}
  void workflow(const std::string& text) const { std::ofstream(world.folder() / "flow.yaml") << text; }
  /// With the secret in the environment, as SITE_TOKEN.
  Finished run(std::vector<std::string> words) const {
    Invocation invocation = world.kernmill(std::move(words));
    invocation.environment.emplace_back("SITE_TOKEN", secret);
    return run_program(invocation);
  }
  /// Files below runs/ that hold the text.
  [[nodiscard]] std::vector<std::string> files_with(const std::string& text) const {
    std::vector<std::string> found;
    for (const auto& file : fs::recursive_directory_iterator(world.folder() / "runs"))
      if (file.is_regular_file() && content(file.path()).find(text) != std::string::npos)
        found.push_back(file.path());
    return found;
  }
  KillWorld world;
};

TEST_F(Secrets, ComeFromTheEnvironmentAndStandInNoFile) {
  workflow(
      "stages:\n"
      "  a:\n"
      "    run: |\n"
      "      test \"$SITE_TOKEN\" = s3cr3t-of'-the-test' && test \"$TOKEN\" = \"$SITE_TOKEN\"\n"
      "      ! env | grep KERNMILL_FROM_ENV\n"
      "      date > $KERNMILL_OUTPUT/o\n"
      "    env: {SITE_TOKEN: {from: env}, TOKEN: {from: env, name: SITE_TOKEN}}\n"
      "    inputs: []\n"
      "    outputs: [o]\n");
  const Finished done = run({"run", "flow.yaml"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_TRUE(files_with(secret).empty()) << files_with(secret).front();
  EXPECT_FALSE(files_with("SITE_TOKEN").empty());
  EXPECT_THAT(run({"run", "flow.yaml"}).err, HasSubstr("cached"));
}

TEST_F(Secrets, ReachPackedInstances) {
  workflow(
      "stages:\n"
      "  a:\n"
      "    run: 'test \"$SITE_TOKEN\" = s3cr3t-of-the-te\"st\"'\n"
      "    env: {SITE_TOKEN: {from: env}}\n"
      "    matrix: {i: [1, 2, 3]}\n"
      "    pack: 3\n");
  const Finished done = run({"run", "flow.yaml"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_TRUE(files_with(secret).empty());
}

TEST_F(Secrets, ComeFromAFileThatIsTheUsersAlone) {
  workflow(
      "stages:\n"
      "  a: {run: 'test \"$T\" = s3cr3t-of-the-te\"st\"', env: {T: {from: file, path: token}}}\n");
  std::ofstream(world.folder() / "token") << secret << "\n";
  ASSERT_EQ(::chmod((world.folder() / "token").c_str(), 0644), 0);
  const Finished refused = world.run({"run", "flow.yaml"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("others may use it"));
  ASSERT_EQ(::chmod((world.folder() / "token").c_str(), 0600), 0);
  const Finished done = world.run({"run", "flow.yaml"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_TRUE(files_with(secret).empty());
}

TEST_F(Secrets, OneThatIsNotSetIsMissedBeforeAnythingIsMade) {
  workflow("stages: {a: {run: 'true', env: {TOKEN: {from: env, name: NOT_SET_ANYWHERE}}}}\n");
  const Finished refused = world.run({"run", "flow.yaml"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("NOT_SET_ANYWHERE (stage a)"));
  EXPECT_FALSE(fs::exists(world.folder() / "runs"));
}

TEST_F(Secrets, AreAskedForAgainWhenARunIsResumed) {
  workflow(
      "stages: {a: {run: 'test -e ready && test -n \"$SITE_TOKEN\"', env: {SITE_TOKEN: {from: env}}}}\n");
  EXPECT_EQ(run({"run", "flow.yaml"}).exit_code, 1);
  std::ofstream(world.folder() / "ready") << "yes";
  EXPECT_EQ(world.run({"resume", "last"}).exit_code, 2);
  EXPECT_EQ(run({"resume", "last"}).exit_code, 0);
}

TEST_F(Secrets, WhatLooksLikeOneAndIsWrittenOutIsWarnedOf) {
  workflow(
      "params: {db_password: changeme-at-once, max_tokens: 4096}\n"
      "stages: {a: {run: 'true', env: {API_TOKEN: 0123456789abcdef-x, MODE: fast, KEY_FILE: "
      "/etc/key-of-it}}}\n");
  const Finished valid = world.run({"validate", "flow.yaml", "--set", "db_password=hush-hush-hush"});
  EXPECT_EQ(valid.exit_code, 0);
  EXPECT_THAT(valid.err, HasSubstr("'API_TOKEN' looks like a secret"));
  EXPECT_THAT(valid.err, HasSubstr("API_TOKEN: {from: env}"));
  EXPECT_THAT(valid.err, HasSubstr("'db_password' looks like a secret"));
  EXPECT_EQ(valid.err.find("hush-hush-hush"), std::string::npos) << valid.err;
  for (const char* harmless : {"'max_tokens' looks", "'MODE' looks", "'KEY_FILE' looks"})
    EXPECT_EQ(valid.err.find(harmless), std::string::npos) << valid.err;
}

TEST_F(Secrets, AKeyThatStandsInTheWorkflowIsWarnedOf) {
  workflow(
      "encryption: {key_env: MINE}\n"
      "stages: {p: {task: preprocess, input: t.csv, target: y, env: {MINE: abcdef0123456789}}}\n");
  std::ofstream(world.folder() / "t.csv") << "x,y\n1,2\n";
  EXPECT_THAT(world.run({"validate", "flow.yaml"}).err,
              HasSubstr("the key that 'encryption' takes from MINE stands in 'env'"));
}

TEST_F(Secrets, TheKeyInTheEnvironmentReachesTasksAndNoCommand) {
  workflow(
      "encryption: {key_env: SITE_TOKEN}\n"
      "stages:\n"
      "  c: {run: 'test -z \"$SITE_TOKEN\"'}\n"
      "  p: {task: preprocess, input: t.csv, target: y, needs: c}\n");
  std::ofstream(world.folder() / "t.csv") << "x,y\n1,2\n";
  const fs::path task = world.folder() / "task";
  std::ofstream(task) << "#!/bin/sh\nprintf %s \"$SITE_TOKEN\" | sha256sum > told\nexit 1\n";
  fs::permissions(task, fs::perms::owner_all);
  Invocation invocation = world.kernmill({"run", "flow.yaml"});
  invocation.environment.insert(
      invocation.environment.end(),
      {{"SITE_TOKEN", secret}, {"KERNMILL_TASK", task}, {"KERNMILL_LAUNCHER_TEMPLATE", "env"}});
  const Finished failed = run_program(invocation);
  EXPECT_EQ(failed.exit_code, 1) << failed.err;
  EXPECT_THAT(content(world.folder() / "told"), HasSubstr(sha256(secret)));
  EXPECT_TRUE(files_with(secret).empty());
}

}  // namespace
}  // namespace kernmill::testing
