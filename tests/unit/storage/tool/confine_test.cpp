#include "kernmill/storage/tool/confine.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernmill/storage/tool/guard.hpp"
#include "temporary_directory.hpp"

namespace kernmill::storage::tool {
namespace {

/// What a confined child may do, each as a letter: it says which it could.
class Confined : public ::testing::Test {
 protected:
  Confined() {
    std::ofstream(mine()) << "mine";
    std::ofstream(other()) << "other";
  }
  [[nodiscard]] std::filesystem::path mine() const { return folder_.path() / "mine"; }
  [[nodiscard]] std::filesystem::path other() const { return folder_.path() / "other"; }
  [[nodiscard]] ChildEnd after_confinement(const std::function<int(std::string&)>& work) const {
    return in_child(
        [&](std::string& said) {
          confine({{mine()}, std::uint64_t{64} << 20, std::chrono::seconds(1)});
          return work(said);
        },
        std::chrono::seconds(100));
  }
  static bool has_seccomp() { return prctl(PR_GET_SECCOMP) >= 0; }
  static bool has_landlock() { return syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) > 0; }

 private:
  kernmill::testing::TemporaryDirectory folder_;
};

bool opens(const std::filesystem::path& file, int flags) {
  const int fd = open(file.c_str(), flags | O_CLOEXEC, 0600);
  return fd >= 0 && close(fd) == 0;
}

TEST_F(Confined, ReadsItsFile) {
  EXPECT_EQ(after_confinement([&](std::string&) { return opens(mine(), O_RDONLY) ? 0 : 1; }).exit_code, 0);
}

TEST_F(Confined, OpensNoOtherFile) {
  if (!has_landlock()) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(after_confinement([&](std::string&) { return opens(other(), O_RDONLY) ? 1 : 0; }).exit_code, 0);
}

TEST_F(Confined, WritesStartsAndSendsNothing) {
  if (!has_seccomp()) GTEST_SKIP() << "this kernel has no seccomp";
  const ChildEnd end = after_confinement([&](std::string& said) {
    if (opens(mine(), O_WRONLY)) said += "writes ";
    if (opens(mine().string() + ".new", O_RDWR | O_CREAT)) said += "creates ";
    if (unlink(mine().c_str()) == 0) said += "removes ";
    if (rename(other().c_str(), mine().c_str()) == 0) said += "renames ";
    sockaddr_in here{};
    here.sin_family = AF_INET;
    const auto* const address = reinterpret_cast<const sockaddr*>(&here);
    const int stream = socket(AF_INET, SOCK_STREAM, 0), packets = socket(AF_INET, SOCK_DGRAM, 0);
    if (connect(stream, address, sizeof here) == 0 || errno != EPERM) said += "connects ";
    if (bind(stream, address, sizeof here) == 0) said += "listens ";
    if (sendto(packets, "x", 1, 0, address, sizeof here) >= 0 || errno != EPERM) said += "sends ";
    if (syscall(SYS_kill, getppid(), 0) == 0) said += "signals ";
    const pid_t child = fork();
    if (child == 0) _exit(0);
    if (child > 0) said += "forks ";
    execl("/bin/true", "true", nullptr);
    return errno == EPERM || errno == EACCES ? 0 : 1;
  });
  EXPECT_EQ(end.said, "");
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(mine()));
}

TEST_F(Confined, HasNoMoreMemoryThanItNeeds) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's shadow is larger than any limit";
#endif
  const ChildEnd end = after_confinement([](std::string&) {
    void* const small = std::malloc(std::size_t{8} << 20);
    void* const large = std::malloc(std::size_t{256} << 20);
    return small != nullptr && large == nullptr ? 0 : 1;
  });
  EXPECT_EQ(end.exit_code, 0);
}

TEST_F(Confined, HasNoMoreTimeThanItNeeds) {
  const ChildEnd end = after_confinement([](std::string&) {
    for (std::string text;; text.clear()) text += "on and on";
    return 0;
  });
  EXPECT_EQ(end.signal, SIGXCPU);
  EXPECT_FALSE(end.timed_out);
}

TEST_F(Confined, LeavesNoCoreFileAndGetsNoPrivileges) {
  const ChildEnd end = after_confinement([](std::string&) {
    rlimit core{1, 1};
    getrlimit(RLIMIT_CORE, &core);
    return core.rlim_max == 0 && prctl(PR_GET_DUMPABLE) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
               ? 0
               : 1;
  });
  EXPECT_EQ(end.exit_code, 0);
}

}  // namespace
}  // namespace kernmill::storage::tool
