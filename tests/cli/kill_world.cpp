#include "kill_world.hpp"

#include <algorithm>
#include <set>

namespace fs = std::filesystem;

namespace kernmill::testing {
namespace {

using Key = std::pair<std::string, unsigned>;

/// The attempts that committed, by instance, over all files of the journal. A record that was gathered from
/// another file, and is in both, is one.
std::map<Key, std::vector<unsigned>> commits(const RunDirectory& run) {
  std::map<Key, std::vector<unsigned>> found;
  std::set<std::string> seen;
  for (const auto& file : fs::directory_iterator(run.journal()))
    for (const Record& record : read_journal_file(file.path()))
      if (record.event == "committed" && seen.insert(record.time + record.body.dump()).second)
        found[{record.body.at("stage"), record.body.at("instance")}].push_back(record.body.at("attempt"));
  return found;
}

}  // namespace

KillWorld::KillWorld(const std::string& workflow) {
  fs::copy_file(fs::path(WORKFLOWS) / workflow, folder() / "flow.yaml");
}

Invocation KillWorld::kernmill(std::vector<std::string> words, const std::string& program) const {
  words.insert(words.begin(), program);
  return {std::move(words),
          folder(),
          {{"KERNMILL_RUNS", ""}, {"KERNMILL_EXEC", KERNMILL_EXEC}, {"XDG_STATE_HOME", folder() / "state"}}};
}

void KillWorld::go_on() const {
  const auto started = runs();
  const bool begun = !started.empty() && fs::exists(started.back().plan());
  if (!started.empty() && !begun) {
    const Finished refused = run({"resume", started.back().name()});
    EXPECT_EQ(refused.exit_code, 2) << refused.err;
    EXPECT_TRUE(ledger().empty());
  }
  const Finished finished = begun ? run({"resume", started.back().name()}) : run({"run", "flow.yaml"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
}

void KillWorld::expect_whole() const {
  ASSERT_FALSE(runs().empty());
  const RunDirectory last = runs().back();
  const RunRecord record = fold_journal(last.journal());
  EXPECT_EQ(record.outcome, "done");
  const auto all = commits(last);
  EXPECT_EQ(all.size(), record.instances.size());
  const std::vector<std::string> lines = ledger();
  for (const auto& [key, attempts] : all) {
    const std::string name = key.first + " " + std::to_string(key.second);
    EXPECT_EQ(attempts.size(), 1U) << name << " was committed more than once";
    EXPECT_EQ(record.find(key.first, key.second)->attempts.back().number, attempts.front())
        << name << " was tried again after it had committed";
    const auto ran = std::count(lines.begin(), lines.end(), name + " " + std::to_string(attempts.front()));
    EXPECT_EQ(ran, 1) << name << ": the attempt that committed did not run exactly once";
  }
  EXPECT_EQ(std::set(lines.begin(), lines.end()).size(), lines.size()) << "an attempt ran twice";
  EXPECT_TRUE(processes_with_token(run_token(last)).empty());
}

fs::path KillWorld::script(const std::string& name, const std::string& text) const {
  const fs::path file = folder() / name;
  std::ofstream(file) << "#!/bin/sh\n" << text << '\n';
  fs::permissions(file, fs::perms::owner_all);
  return file;
}

fs::path KillWorld::dying_exec(const std::string& instance, int boundary) const {
  return script("dying-exec", "KERNMILL_TEST_INSTANCE=" + instance +
                                  " KERNMILL_TEST_DIE_AT=" + std::to_string(boundary) +
                                  " KERNMILL_TEST_KILLED='" + (folder() / "killed").string() + "' exec '" +
                                  KERNMILL_EXEC_DYING + "' \"$@\"");
}

fs::path KillWorld::telling_exec() const {
  return script("telling-exec", std::string("'") + KERNMILL_EXEC +
                                    "' \"$@\"; end=$?\n"
                                    "case \" $* \" in *' --pack '*) echo $end >> '" +
                                    (folder() / "exits").string() + "';; esac\nexit $end");
}

std::vector<std::string> KillWorld::lines(const std::string& file) const {
  std::vector<std::string> lines;
  std::ifstream stream(folder() / file);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace kernmill::testing
