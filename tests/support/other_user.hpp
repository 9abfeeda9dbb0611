#pragma once
#include <functional>

#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kernmill::testing {

/// Users that need no entry in passwd. Only root can become one.
inline constexpr uid_t alice = 12345, mallory = 65534;

/// Becomes that user, for good; with that group alone.
inline bool become_user(uid_t user, gid_t group) {
  return ::setgroups(0, nullptr) == 0 && ::setresgid(group, group, group) == 0 &&
         ::setresuid(user, user, user) == 0;
}

/// Does something as another user, in a process of its own; whether it said true.
inline bool as_user(uid_t user, gid_t group, const std::function<bool()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    bool good = false;
    try {
      good = become_user(user, group) && work();
    } catch (...) {  // told by the exit status
    }
    ::_exit(good ? 0 : 1);
  }
  int status = 1;
  ::waitpid(child, &status, 0);
  return status == 0;
}
inline bool as_user(uid_t user, const std::function<bool()>& work) {
  return as_user(user, user, work);
}

/// Whether this process is root of a system in which those users can be (in some containers they cannot).
inline bool may_act_as_others() {
  return ::geteuid() == 0 && as_user(alice, [] { return true; }) && as_user(mallory, [] { return true; });
}

/// The umask, for as long as the object lives.
class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

}  // namespace kernmill::testing

#define KERNMILL_NEEDS_OTHER_USERS() \
  if (!::kernmill::testing::may_act_as_others()) GTEST_SKIP() << "only root can act as other users"
