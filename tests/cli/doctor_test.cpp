// What `kernmill doctor` says of installations that are made for it: times and sizes apart, word by word.
#include <fstream>
#include <regex>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "program.hpp"
#include "temporary_directory.hpp"

namespace fs = std::filesystem;

namespace kernmill::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A folder with a kernmill-task that reports itself; a launcher sets RANKS, or starts it twice.
class Doctor : public ::testing::Test {
 protected:
  Doctor() {
    write("kernmill-task",
          "#!/bin/sh\n"
          "echo '{\"program\":\"kernmill-task "
          "1\",\"ranks\":'${RANKS:-1}',\"sum_is_right\":true,\"mpi\":\"MPI 1\","
          "\"hdf5\":\"HDF5 1\",\"kokkos\":\"Kokkos 1\",\"blas\":\"\"}'\n");
    write("together", "#!/bin/sh\nRANKS=$1 exec \"$2\" \"$3\"\n");
    write("apart", "#!/bin/sh\n\"$2\" \"$3\" && \"$2\" \"$3\"\n");
    write("broken", "#!/bin/sh\necho no such host >&2\nexit 7\n");
  }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder.path() / name) << text;
    fs::permissions(folder.path() / name, fs::perms::owner_all);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder.path() / name).string(); }

  Finished doctor(const std::string& launcher, const std::string& root = "runs",
                  std::vector<std::string> words = {}) {
    words.insert(words.begin(), {KERNMILL, "doctor", "--runs", root});
    return run_program({std::move(words),
                        folder.path(),
                        {{"KERNMILL_EXEC", KERNMILL_EXEC},
                         {"KERNMILL_TASK", path("kernmill-task")},
                         {"KERNMILL_LAUNCHER_TEMPLATE", path(launcher) + " {ntasks}"},
                         {"KERNMILL_SLURM_PLUGIN", path("plugin.so")}}});
  }

  /// The text with this machine's folders, times and sizes taken out of it.
  [[nodiscard]] std::string masked(std::string text) const {
    const auto replace = [&](const std::string& pattern, const char* by) {
      text = std::regex_replace(text, std::regex(pattern), by);
    };
    replace(folder.path().string(), "<FOLDER>");
    replace(KERNMILL_EXEC, "<EXEC>");
    replace("(ext4|xfs|btrfs|tmpfs|overlay|type 0x[0-9a-f]+), [0-9.]+ [KMGT]?i?B free",
            "<DISK>, <SIZE> free");
    // Where temporary files lie in memory, that is worth a warning.
    replace("warning  (run root[^\n]*)\n +tmpfs is[^\n]*", "ok       $1");
    replace("[01] warnings?", "<N> warnings");
    replace("in [0-9.]+ ms", "in <TIME>");
    replace("cmake .*--target kernmill_slurm", "<BUILD>");
    replace("\n +where BUILD is [^\n]*", "");
    return text;
  }

  TemporaryDirectory folder;
};

TEST_F(Doctor, SaysWhatItFoundAndWhatToDo) {
  fs::create_directory(folder.path() / "runs");
  const Finished finished = doctor("together");
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_THAT(finished.err, IsEmpty());
  EXPECT_EQ(masked(finished.out), R"(Programs
  ok       kernmill-exec      <EXEC>
  ok       kernmill-task      <FOLDER>/kernmill-task
  ok       start of a task    kernmill-task 1
  ok       MPI                MPI 1
  ok       HDF5               HDF5 1
  ok       Kokkos             Kokkos 1
  ok       BLAS               built in
  ok       loops              baseline
  ok       MPI launch         2 ranks found each other (<FOLDER>/together 2)

Slurm
  fail     plug-in            the Slurm plug-in <FOLDER>/plugin.so does not exist; build it:
                                <BUILD>

Files
  ok       run root           <FOLDER>/runs: <DISK>, <SIZE> free
  ok       write and sync     4 KiB in <TIME>, 1 MiB in <TIME> (median of 5)
  ok       locks              flock keeps others out
  ok       exclusive files    a file can be made by one only
  ok       clock              files are stamped with this machine's time
  note     seen by all nodes  cannot be told from here; jobs have to find this folder under the same name

1 failed, <N> warnings
)");
  EXPECT_TRUE(fs::is_empty(folder.path() / "runs")) << "it leaves files behind";
}

TEST_F(Doctor, TellsRanksThatDoNotKnowEachOther) {
  EXPECT_THAT(
      masked(doctor("apart").out),
      HasSubstr(
          "  fail     MPI launch         <FOLDER>/apart 2 starts 2 programs that do not know each other\n"
          "                              it belongs to another MPI than kernmill-task (MPI 1); "
          "KERNMILL_LAUNCHER_TEMPLATE names the command that starts ranks, for instance mpiexec -n "
          "{ntasks}\n"));
}

TEST_F(Doctor, RepeatsWhatAFailingLauncherSays) {
  EXPECT_THAT(masked(doctor("broken").out),
              HasSubstr("  fail     MPI launch         <FOLDER>/broken 2: no such host (exit status 7)\n"));
}

TEST_F(Doctor, MissesPrograms) {
  fs::remove(folder.path() / "kernmill-task");
  EXPECT_THAT(
      masked(doctor("together").out),
      HasSubstr("  fail     kernmill-task      <FOLDER>/kernmill-task is no program that can be run\n"
                "                              install it beside kernmill, or name it in KERNMILL_TASK\n\n"));
}

TEST_F(Doctor, SaysWhyATaskDoesNotStart) {
  write("kernmill-task", "#!/bin/sh\necho 'libhdf5.so: cannot open shared object file' >&2\nexit 127\n");
  EXPECT_THAT(
      masked(doctor("together").out),
      HasSubstr("  fail     start of a task    libhdf5.so: cannot open shared object file\n"
                "                              run <FOLDER>/kernmill-task --check by hand: it says what it "
                "lacks\n"));
}

TEST_F(Doctor, MeasuresTheNearestFolderOfARunRootThatIsNotThereYet) {
  EXPECT_THAT(masked(doctor("together").out),
              HasSubstr("run root           <FOLDER>/runs (to be made): <DISK>"));
  EXPECT_FALSE(fs::exists(folder.path() / "runs"));
}

TEST_F(Doctor, FailsWhereItCannotWrite) {
  const Finished finished = doctor("together", "/proc/runs");
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_THAT(
      finished.out,
      HasSubstr(
          "  fail     write and sync   cannot write: No such file or directory\n"
          "                            a run writes its journal here; --runs DIR puts runs elsewhere\n"));
}

TEST_F(Doctor, IsReadByPrograms) {
  const Finished finished = doctor("together", "runs", {"--json"});
  const auto json = nlohmann::json::parse(finished.out);
  EXPECT_EQ(json.at("schema_version"), 1);
  EXPECT_EQ(json.at("ok"), false);
  for (const auto& check : json.at("checks")) {
    if (check.at("name") == "write and sync") {
      EXPECT_GT(check.at("values").at("milliseconds_4k").get<double>(), 0);
    }
    if (check.at("name") == "plug-in") {
      EXPECT_EQ(check.at("status"), "fail");
    }
  }
  EXPECT_EQ(json.at("checks").size(), 16u);
}

}  // namespace
}  // namespace kernmill::testing
