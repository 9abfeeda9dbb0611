// Ranks on two nodes write one file through both transports. All nodes of the test's cluster are this
// machine, which MPI would notice: MPIR_CVAR_NOLOCAL makes MPICH take each rank for one on a node of its own,
// so that nothing goes through shared memory. Over NFS each node has a mount of its own besides (no shared
// cache), in a mount name space that a rank enters: two clients, which know of each other's bytes what the
// server tells them.
#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <unistd.h>

#include "submit_world.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Runs a command; whether it ended well.
bool succeeds(const std::vector<std::string>& words) {
  return run_program({words, "/", {}}).exit_code == 0;
}

/// Why this machine cannot export and mount a folder through NFS; empty: it can.
std::string no_nfs_because() {
  if (::geteuid() != 0) return "NFS: only root may mount";
  const std::string known = content("/proc/filesystems");
  if (known.find("\tnfs4\n") == std::string::npos && known.find("\tnfs\n") == std::string::npos)
    return "NFS: the kernel has no client for it (/proc/filesystems)";
  for (const char* program : {"exportfs", "mount.nfs"})
    if (!succeeds({"/bin/sh", "-c", std::string("PATH=$PATH:/usr/sbin:/sbin command -v ") + program}))
      return std::string("NFS: there is no program ") + program + " (nfs-kernel-server, nfs-common)";
  if (std::atoi(content("/proc/fs/nfsd/threads").c_str()) < 1)
    return "NFS: the server does not run (/proc/fs/nfsd/threads)";
  if (!succeeds({"unshare", "-m", "true"})) return "NFS: mount name spaces cannot be made here";
  return {};
}

/// A folder that is exported to this machine, and mounted once by itself and once for each node.
class Exported {
 public:
  explicit Exported(const fs::path& root) : root_(root) {
    fs::create_directories(root / "export");
    if (!succeeds({"exportfs", "-o", "rw,sync,no_root_squash,insecure,no_subtree_check,fsid=5417",
                   export_name()})) {
      why_not_ = "NFS: exportfs refuses " + (root / "export").string();
      return;
    }
    for (const char* node : {"shared", "n1", "n2", "n3", "n4"}) {
      fs::create_directories(root / node);
      if (!succeeds(
              {"mount", "-t", "nfs", "-o", "nosharecache,hard", export_name(), (root / node).string()})) {
        why_not_ = "NFS: " + export_name() + " cannot be mounted";
        return;
      }
      mounted_.push_back(root / node);
    }
  }
  ~Exported() {
    for (const fs::path& mount : mounted_) succeeds({"umount", "-f", "-l", mount.string()});
    succeeds({"exportfs", "-u", export_name()});
  }
  Exported(const Exported&) = delete;
  Exported& operator=(const Exported&) = delete;
  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  [[nodiscard]] fs::path shared() const { return root_ / "shared"; }

 private:
  [[nodiscard]] std::string export_name() const { return "127.0.0.1:" + (root_ / "export").string(); }
  fs::path root_;
  std::vector<fs::path> mounted_;
  std::string why_not_;
};

/// A workflow that prepares a dataset, with the ranks of a stage on two nodes.
class TwoNodes : public ::testing::Test {
 protected:
  void SetUp() override {
    KERNMILL_NEEDS_SLURM();
    world_ = std::make_unique<SubmitWorld>();
    fs::copy(fs::path(KERNMILL_SOURCE_DIR) / "workflows" / "data" / "iris.csv", world_->path() / "iris.csv");
    world_->workflow(
        "  prepare: {task: preprocess, input: iris.csv, target: species, split: {test: 0.2}, "
        "nodes: 2, ntasks: 4, mem: 200M, time: 5m}\n");
    program("on_node",
            "if [ -z \"$MOUNTS\" ]; then exec \"$@\"; fi\n"
            "exec unshare -m /bin/sh -c 'mount --bind \"$MOUNTS/$SLURMD_NODENAME\" \"$MOUNTS/shared\" && "
            "exec \"$@\"' "
            "sh \"$@\"\n");
    program("launch", "export MPIR_CVAR_NOLOCAL=1 MOUNTS=\"" + mounts_ +
                          "\"\nranks=$1\nshift\n"
                          "exec srun --mpi=pmi2 -N2 -n \"$ranks\" --mem=200M --kill-on-bad-exit=0 --wait=3 " +
                          path("on_node").string() + " \"$@\"\n");
  }

  void program(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << "#!/bin/sh\n" << text;
    fs::permissions(path(name), fs::perms::owner_all);
  }
  [[nodiscard]] fs::path path(const std::string& name) const { return world_->path() / name; }

  /// The folder of the attempt that has written with this transport, below `runs`.
  [[nodiscard]] fs::path attempt_with(const std::string& transport, const fs::path& runs) const {
    const Finished submitted =
        world_->kernmill({"submit", "flow.yaml", "--no-cache", "--runs", runs.string(), "--set",
                          "storage.transport=" + transport},
                         {{"KERNMILL_LAUNCHER_TEMPLATE", path("launch").string() + " {ntasks}"}});
    EXPECT_EQ(submitted.exit_code, 0) << submitted.err;
    const RunDirectory run = select_run(runs, "last");
    wait_until(
        "the end of the run", [&] { return !fold_journal(run.journal()).outcome.empty(); },
        std::chrono::seconds(120));
    return run.attempt("prepare", 0, 1);
  }
  /// The dataset of one rank, which everybody knows how to write.
  [[nodiscard]] std::string expected() const {
    const fs::path runs = path("alone");
    const Finished alone = world_->kernmill({"run", "flow.yaml", "--runs", runs.string(), "--set",
                                             "prepare.ntasks=1", "--set", "prepare.nodes=1"});
    EXPECT_EQ(alone.exit_code, 0) << alone.err;
    return content(select_run(runs, "last").attempt("prepare", 0, 1) / "dataset.h5");
  }

  std::string mounts_;
  std::unique_ptr<SubmitWorld> world_;
};

TEST_F(TwoNodes, WriteTheSameBytesThroughBothTransports) {
  const std::string same = expected();
  ASSERT_FALSE(same.empty());
  for (const std::string transport : {"posix", "mpiio"}) {
    const fs::path attempt = attempt_with(transport, path("runs"));
    EXPECT_TRUE(content(attempt / "dataset.h5") == same) << transport << ": " << content(attempt / "err.log");
    EXPECT_THAT(content(attempt / "out.log"), HasSubstr("storage: " + transport + ": asked for; "));
    EXPECT_THAT(content(attempt / "out.log"), HasSubstr(", 4 nodes\n"))
        << "to MPI each rank is a node of its own";
  }
}

class TwoNodesOverNfs : public TwoNodes {
 protected:
  void SetUp() override {
    if (const std::string why = no_nfs_because(); !why.empty()) GTEST_SKIP() << why;
    exported_ = std::make_unique<Exported>(place_.path());
    if (!exported_->why_not().empty()) GTEST_SKIP() << exported_->why_not();
    mounts_ = place_.path().string();
    TwoNodes::SetUp();
  }
  TemporaryDirectory place_;
  std::unique_ptr<Exported> exported_;
};

TEST_F(TwoNodesOverNfs, WriteThroughMpiIoAloneAndTheSameBytes) {
  const std::string same = expected();
  for (const std::string transport : {"auto", "mpiio"}) {
    const fs::path attempt = attempt_with(transport, exported_->shared() / "runs");
    EXPECT_TRUE(content(attempt / "dataset.h5") == same) << transport << ": " << content(attempt / "err.log");
    EXPECT_THAT(content(attempt / "out.log"), HasSubstr("storage: mpiio: "));
    EXPECT_THAT(content(attempt / "out.log"), HasSubstr("NFS, 4 nodes\n"));
  }
  const fs::path refused = attempt_with("posix", exported_->shared() / "runs");
  EXPECT_THAT(content(refused / "err.log"), HasSubstr("nodes would write one file through NFS"));
  EXPECT_FALSE(fs::exists(refused / "dataset.h5"));
}

}  // namespace
}  // namespace kernmill::testing
