#include "kernmill/storage/tool/system_calls.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#if __has_include(<linux/landlock.h>)
#include <linux/landlock.h>
#endif

namespace kernmill::storage::tool {

#if __has_include(<linux/landlock.h>) && defined(SYS_landlock_create_ruleset)

namespace {

constexpr std::uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
/// Of the first version of Landlock, so that every kernel that has it knows them.
constexpr std::uint64_t all_access =
    reading | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

void allow(int rules, const std::filesystem::path& path, std::uint64_t access) {
  const int fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (fd < 0) return;
  const landlock_path_beneath_attr rule{access, fd};
  ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  ::close(fd);
}

}  // namespace

void forbid_other_files(const std::vector<std::filesystem::path>& readable) {
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = all_access;
  const int rules =
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  if (rules < 0) return;
  for (const auto& file : readable) allow(rules, file, LANDLOCK_ACCESS_FS_READ_FILE);
  for (const char* directory : {"/usr", "/lib", "/lib64", "/etc", "/proc/self/net"})
    allow(rules, directory, reading | LANDLOCK_ACCESS_FS_EXECUTE);
  ::syscall(SYS_landlock_restrict_self, rules, 0);
  ::close(rules);
}

#else

void forbid_other_files(const std::vector<std::filesystem::path>&) {}

#endif

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t machine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t machine = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t machine = 0;
#endif

constexpr long forbidden[] = {
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_sendmsg,
    SYS_sendmmsg,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kill,
    SYS_tkill,
    SYS_unlinkat,
    SYS_renameat,
    SYS_renameat2,
    SYS_linkat,
    SYS_symlinkat,
    SYS_mkdirat,
    SYS_mknodat,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_fchown,
    SYS_fchownat,
    SYS_truncate,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    SYS_mount,
    SYS_umount2,
    SYS_unshare,
    SYS_setns,
    SYS_chroot,
    SYS_pivot_root,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_init_module,
    SYS_finit_module,
    SYS_personality,
#ifdef SYS_io_uring_setup
    SYS_io_uring_setup,
#endif
#ifdef SYS_pidfd_getfd
    SYS_pidfd_getfd,
#endif
#ifdef SYS_unlink  // the old calls, which newer machines do without
    SYS_unlink,
    SYS_rename,
    SYS_link,
    SYS_symlink,
    SYS_mkdir,
    SYS_rmdir,
    SYS_mknod,
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_creat,
    SYS_fork,
    SYS_vfork,
#endif
};

/// Calls that a library tries before an older one, which can be looked into.
constexpr long unknown[] = {
#ifdef SYS_openat2
    SYS_openat2,
#endif
#ifdef SYS_clone3
    SYS_clone3,
#endif
#ifdef SYS_fchmodat2
    SYS_fchmodat2,
#endif
    -1};

class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    skip_unless(BPF_JEQ, machine, 0, 1);  // another machine's calls have other numbers
    answer(SECCOMP_RET_ERRNO | EPERM);
    load(offsetof(seccomp_data, nr));
#ifdef __x86_64__
    constexpr std::uint32_t other_abi = 0x40000000;
    skip_unless(BPF_JGE, other_abi, 1, 0);
    answer(SECCOMP_RET_ERRNO | ENOSYS);
#endif
  }
  void refuse(long call, std::uint32_t error) {
    skip_unless(BPF_JEQ, static_cast<std::uint32_t>(call), 1, 0);
    answer(SECCOMP_RET_ERRNO | error);
  }
  /// Where a half of an argument of the call has any of the bits (or none of them, as `any` says).
  void refuse_bits(long call, unsigned argument, unsigned half, std::uint32_t bits, bool any) {
    skip_unless(BPF_JEQ, static_cast<std::uint32_t>(call), 3, 0);
    load(static_cast<std::uint32_t>(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t) +
                                    half * sizeof(std::uint32_t)));
    skip_unless(BPF_JSET, bits, any ? 1 : 0, any ? 0 : 1);
    answer(SECCOMP_RET_ERRNO | EPERM);
    load(offsetof(seccomp_data, nr));
  }
  void take_effect() {
    answer(SECCOMP_RET_ALLOW);
    const sock_fprog program{static_cast<unsigned short>(steps_.size()), steps_.data()};
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
  }

 private:
  void load(std::uint32_t offset) {
    steps_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
  }
  void answer(std::uint32_t value) {
    steps_.push_back(BPF_STMT(BPF_RET | BPF_K, value));
  }
  /// Goes on behind as many steps where the test fails, and behind others where it holds.
  void skip_unless(std::uint16_t test, std::uint32_t value, std::uint8_t failing, std::uint8_t holding) {
    steps_.push_back(
        sock_filter{static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), holding, failing, value});
  }
  std::vector<sock_filter> steps_;
};

}  // namespace

void forbid_harmful_calls() {
  if (machine == 0) return;
  Filter filter;
  for (const long call : forbidden) filter.refuse(call, EPERM);
  for (const long call : unknown) filter.refuse(call, ENOSYS);
  constexpr std::uint32_t writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, all = 0xffffffff;
  filter.refuse_bits(SYS_openat, 2, 0, writing, true);
#ifdef SYS_open
  filter.refuse_bits(SYS_open, 1, 0, writing, true);
#endif
  filter.refuse_bits(SYS_clone, 0, 0, CLONE_THREAD, false);
  // To an address. (A socket alone does no harm; MPI asks one for the names of interfaces.)
  filter.refuse_bits(SYS_sendto, 4, 0, all, true);
  filter.refuse_bits(SYS_sendto, 4, 1, all, true);
  filter.take_effect();
}

}  // namespace kernmill::storage::tool
