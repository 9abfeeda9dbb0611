// `kernmill doctor --io`: what it makes of a measurement, where it writes it, what it leaves, and a real one.
#include <csignal>
#include <fstream>
#include <regex>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "program.hpp"
#include "temporary_directory.hpp"

namespace fs = std::filesystem;

namespace kernmill::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A folder to measure, and a kernmill-storage that has measured what a test says.
class DoctorIo : public ::testing::Test {
 protected:
  DoctorIo() {
    fs::create_directory(place());
    write("measured.json", measured("posix", "a local file system, 1 node", 1, 150e6, 450e6).dump());
    program("kernmill-storage", "cp measured.json \"$4\"\n");
  }

  static nlohmann::json measured(const std::string& chosen, const std::string& reason, int nodes,
                                 double posix, double mpiio) {
    const auto line = [](const char* what, const char* unit, double raw, double a, double b) {
      return nlohmann::json{{"what", what}, {"unit", unit}, {"raw", raw}, {"posix", a}, {"mpiio", b}};
    };
    return {{"schema_version", 1},
            {"file_system", reason.substr(0, reason.find(','))},
            {"ranks", 4},
            {"nodes", nodes},
            {"bytes", 1 << 28},
            {"rounds", 3},
            {"auto", {{"transport", chosen}, {"reason", chosen + ": " + reason}}},
            {"measures",
             {line("write", "bytes/s", 400e6, 2 * posix, mpiio),
              line("durable write", "bytes/s", 300e6, posix, mpiio),
              line("sequential read", "bytes/s", 2e9, 10 * posix, 10 * mpiio),
              line("open and close", "s", 0.0001, 0.002, 0.004)}}};
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder.path() / name) << text;
  }
  void program(const std::string& name, const std::string& text) const {
    write(name, "#!/bin/sh\n" + text);
    fs::permissions(folder.path() / name, fs::perms::owner_all);
  }
  [[nodiscard]] fs::path place() const { return folder.path() / "place"; }
  [[nodiscard]] fs::path site() const { return folder.path() / "site.yaml"; }

  [[nodiscard]] Invocation doctor(std::vector<std::string> words, const fs::path& site_file) const {
    words.insert(words.begin(), {KERNMILL, "doctor"});
    return {std::move(words),
            folder.path(),
            {{"KERNMILL_STORAGE", (folder.path() / "kernmill-storage").string()},
             {"KERNMILL_LAUNCHER_TEMPLATE", "env RANKS={ntasks}"},
             {"KERNMILL_SITE", site_file.string()}}};
  }
  [[nodiscard]] Finished run(std::vector<std::string> words) const {
    return run_program(doctor(std::move(words), site()));
  }
  /// What a site file becomes.
  [[nodiscard]] std::string rewritten(const std::string& text) const {
    std::ofstream(site()) << text;
    const Finished finished = run({"--io", "place", "--write-site"});
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    return content(site());
  }
  [[nodiscard]] std::string masked(std::string text) const {
    const auto replace = [&](const std::string& pattern, const char* by) {
      text = std::regex_replace(text, std::regex(pattern), by);
    };
    replace(folder.path().string(), "<FOLDER>");
    return text;
  }

  TemporaryDirectory folder;
};

TEST_F(DoctorIo, ShowsWhatWasMeasuredAndWhatToAskFor) {
  const Finished finished = run({"--io", "place", "--ranks", "4"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(masked(finished.err),
            "measuring with env RANKS=4 (256 MiB at a time, in turn; Ctrl-C ends it)\n");
  EXPECT_EQ(masked(finished.out),
            R"(<FOLDER>/place: a local file system, 1 node, 4 ranks, 256 MiB (env RANKS=4), median of 3 rounds

                     raw POSIX        posix              mpiio
  write            381.5 MiB/s  286.1 MiB/s  0.75  429.2 MiB/s  1.12
  durable write    286.1 MiB/s  143.1 MiB/s  0.50  429.2 MiB/s  1.50
  sequential read  1.863 GiB/s  1.397 GiB/s  0.75  4.191 GiB/s  2.25
  open and close       0.10 ms      2.00 ms  0.05      4.00 ms  0.03

behind each: how fast it is beside raw POSIX, the same bytes by the same ranks

recommended: mpiio: in durable writing and sequential reading it is 3.00 times as fast as posix, which auto takes here (posix: a local file system, 1 node)
to ask for it everywhere: --write-site, or in <FOLDER>/site.yaml: storage: {transport: mpiio}
)");
  EXPECT_FALSE(fs::exists(site()));
  EXPECT_TRUE(fs::is_empty(place()));
}

TEST_F(DoctorIo, RecommendsWhatAutoTakesUnlessTheOtherIsClearlyFaster) {
  const auto recommended = [&](const nlohmann::json& found) {
    write("measured.json", found.dump());
    return nlohmann::json::parse(run({"--io", "place", "--json"}).out).at("recommended").at("transport");
  };
  EXPECT_EQ(recommended(measured("posix", "a local file system, 1 node", 1, 150e6, 160e6)), "auto");
  EXPECT_EQ(recommended(measured("mpiio", "Lustre, 2 nodes", 2, 150e6, 140e6)), "auto");
  EXPECT_EQ(recommended(measured("mpiio", "Lustre, 2 nodes", 2, 300e6, 140e6)), "posix");
  EXPECT_EQ(recommended(measured("mpiio", "NFS, 2 nodes", 2, 300e6, 140e6)), "auto")
      << "it would not be safe";
}

TEST_F(DoctorIo, WritesTheSiteFileAndKeepsWhatIsThere) {
  EXPECT_EQ(rewritten(""), "storage: {transport: mpiio}\n");
  EXPECT_EQ(rewritten("# ours\nresources: {account: physics}  # all of us"),
            "# ours\nresources: {account: physics}  # all of us\nstorage: {transport: mpiio}\n");
  EXPECT_EQ(rewritten("storage: {transport: posix, hints: {cb_nodes: 4}} # measured\nstall: 10m\n"),
            "storage: {transport: mpiio, hints: {cb_nodes: 4}} # measured\nstall: 10m\n");
  EXPECT_EQ(rewritten("storage:\n  # as it was\n  transport: \"posix\"  # so\n  hints: {cb_nodes: 4}\n"),
            "storage:\n  # as it was\n  transport: mpiio  # so\n  hints: {cb_nodes: 4}\n");
  EXPECT_EQ(rewritten("storage: {hints: {cb_nodes: 4}}\n"),
            "storage: {transport: mpiio, hints: {cb_nodes: 4}}\n");
  EXPECT_EQ(rewritten("storage:\n    hints:\n        cb_nodes: 4\n"),
            "storage:\n    transport: mpiio\n    hints:\n        cb_nodes: 4\n");
  EXPECT_EQ(rewritten("setup: ['echo Größe']\nstorage: {  transport : auto }\n"),
            "setup: ['echo Größe']\nstorage: {  transport : mpiio }\n");
}

TEST_F(DoctorIo, WritesWhereALinkLeadsAndKeepsWhoMayReadIt) {
  write("real.yaml", "stall: 10m\n");
  fs::permissions(folder.path() / "real.yaml", fs::perms(0640));
  fs::create_symlink("real.yaml", site());
  const Finished finished = run({"--io", "place", "--write-site"});
  EXPECT_THAT(masked(finished.out),
              HasSubstr("<FOLDER>/real.yaml has it now: storage: {transport: mpiio}\n"));
  EXPECT_TRUE(fs::is_symlink(site()));
  EXPECT_EQ(content(site()), "stall: 10m\nstorage: {transport: mpiio}\n");
  EXPECT_EQ(fs::status(site()).permissions(), fs::perms(0640));
}

TEST_F(DoctorIo, SaysWhatToWriteByHandWhereItCannot) {
  const auto refused = [&](const std::string& text) {
    std::ofstream(site()) << text;
    const Finished finished = run({"--io", "place", "--write-site"});
    EXPECT_EQ(finished.exit_code, 2);
    EXPECT_THAT(finished.out, HasSubstr("recommended: mpiio")) << "what was measured is not lost";
    EXPECT_EQ(content(site()), text);
    return finished.err;
  };
  const auto line = HasSubstr("put this line there: storage: {transport: mpiio}");
  EXPECT_THAT(refused("resources: {mem: 1G\n"), AllOf(HasSubstr("the site file has mistakes"), line));
  EXPECT_THAT(refused("stall: 10m\n...\n"), AllOf(HasSubstr("cannot be edited here"), line));
  EXPECT_THAT(refused("{stall: 10m}\n"), line);
  const Finished nowhere = run_program(doctor({"--io", "place", "--write-site"}, "/proc/site.yaml"));
  EXPECT_EQ(nowhere.exit_code, 2);
  EXPECT_THAT(nowhere.err, AllOf(HasSubstr("cannot write /proc/site.yaml"), line));
}

TEST_F(DoctorIo, RefusesWhatItCannotMeasure) {
  const auto refused = [&](std::vector<std::string> words) {
    const Finished finished = run(std::move(words));
    EXPECT_EQ(finished.exit_code, 2) << finished.out;
    return masked(finished.err);
  };
  EXPECT_THAT(refused({"--io", "nowhere"}), HasSubstr("<FOLDER>/nowhere is no directory"));
  EXPECT_THAT(refused({"--io", "place", "--size", "900000T"}), HasSubstr("<FOLDER>/place has no room"));
  EXPECT_THAT(refused({"--io", "place", "--size", "many"}), HasSubstr("--size takes an amount such as 256M"));
  EXPECT_THAT(refused({"--io", "place", "--ranks", "0"}), HasSubstr("--ranks takes a number from 1 on"));
  EXPECT_THAT(refused({"--ranks", "2"}), HasSubstr("--ranks is for measuring a directory"));
  EXPECT_THAT(refused({"--io", "/proc/self", "--size", "1M"}), HasSubstr("/proc/self"));
}

TEST_F(DoctorIo, RepeatsWhatWentWrong) {
  program("kernmill-storage",
          "echo 'error: place/posix.h5: cannot write it: Disk quota exceeded' >&2\nexit 1\n");
  const Finished finished = run({"--io", "place"});
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_THAT(masked(finished.err),
              HasSubstr("error: <FOLDER>/place cannot be measured: place/posix.h5: cannot "
                        "write it: Disk quota exceeded (exit status 1)\n"));
  EXPECT_TRUE(fs::is_empty(place()));
}

TEST_F(DoctorIo, LeavesNothingWhenItIsInterrupted) {
  mkfifo((folder.path() / "started").c_str(), 0600);
  program("kernmill-storage", "touch \"$2/half\"; echo $$ >started; exec sleep 600\n");
  Program running(doctor({"--io", "place"}, site()));
  std::string pid;
  std::getline(std::ifstream(folder.path() / "started"), pid);
  running.send(SIGINT);
  EXPECT_EQ(running.wait().exit_code, 130);
  EXPECT_TRUE(fs::is_empty(place()));
  EXPECT_FALSE(fs::exists("/proc/" + pid));
}

TEST_F(DoctorIo, RemovesWhatAKilledOneHasLeft) {
  fs::create_directories(place() / ".kernmill-io-abcdef/files");
  write("place/own.txt", "stays");
  EXPECT_EQ(run({"--io", "place"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(place() / ".kernmill-io-abcdef"));
  EXPECT_EQ(content(place() / "own.txt"), "stays");
}

TEST_F(DoctorIo, MeasuresReally) {
  Invocation real = doctor({"--io", "place", "--size", "3M", "--ranks", "3", "--json"}, site());
  real.environment = {{"KERNMILL_STORAGE", KERNMILL_STORAGE}, {"KERNMILL_SITE", site().string()}};
  const Finished finished = run_program(real);
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const auto json = nlohmann::json::parse(finished.out);
  EXPECT_EQ(json.at("ranks"), 3);
  EXPECT_EQ(json.at("nodes"), 1);
  EXPECT_EQ(json.at("bytes"), 3 << 20);
  ASSERT_EQ(json.at("measures").size(), 6u);
  for (const auto& line : json.at("measures"))
    for (const char* way : {"raw", "posix", "mpiio"}) EXPECT_GT(line.at(way).get<double>(), 0) << line;
  EXPECT_EQ(json.at("auto").at("transport"), "posix") << "one node";
  EXPECT_TRUE(fs::is_empty(place()));
}

/// What a run says of the transport that its tasks took.
TEST_F(DoctorIo, ARunTellsWhichTransportItsTasksTook) {
  const auto kernmill = [&](std::vector<std::string> words) {
    words.insert(words.begin(), KERNMILL);
    return run_program({std::move(words),
                        folder.path(),
                        {{"KERNMILL_TASK", KERNMILL_TASK}, {"KERNMILL_SITE", site().string()}}});
  };
  fs::copy(fs::path(DATA) / "iris.csv", folder.path() / "iris.csv");
  write("flow.yaml", "stages: {prepare: {task: preprocess, input: iris.csv, target: species, ntasks: 2}}\n");
  write("site.yaml", "storage: {transport: mpiio, hints: {cb_nodes: 1}}\n");
  std::string first;
  for (const auto& [set, expected] :
       {std::pair("~x", "mpiio: asked for; "), {"storage.transport=auto", "posix: "}}) {
    std::vector<std::string> words{"run", "flow.yaml", "--no-cache", "--quiet"};
    if (set[0] != '~') words.insert(words.end(), {"--set", set});
    const Finished finished = kernmill(words);
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    const std::string dir = kernmill({"explain", "last", "prepare", "--json"}).out;
    const auto explained = nlohmann::json::parse(dir).at("instances").at(0);
    const std::string reason = explained.at("storage").at("reason");
    EXPECT_EQ(reason.substr(0, std::string(expected).size()), expected);
    EXPECT_THAT(kernmill({"explain", "last", "prepare"}).out, HasSubstr("  storage: " + reason + "\n"));
    EXPECT_THAT(kernmill({"logs", "last", "prepare"}).out, HasSubstr("storage: " + reason));
  }
}

}  // namespace
}  // namespace kernmill::testing
