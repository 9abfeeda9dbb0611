#include "kernmill/storage/transport/locks.hpp"

#include <cerrno>

#include <gmock/gmock.h>

#include "kernmill/storage/file/durable.hpp"
#include "temporary_directory.hpp"

namespace kernmill::storage {
namespace {

constexpr const char* mounts =
    "29 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,discard\n"
    "91 29 0:51 / /home rw - nfs4 server:/home rw,vers=4.2,local_lock=none,addr=10.0.0.1\n"
    "92 29 0:52 / /scratch rw - nfs server:/scratch rw,vers=3,nolock,local_lock=all,addr=10.0.0.1\n"
    "93 29 0:53 / /old rw - nfs server:/old rw,vers=3,local_lock=posix";

TEST(Locks, ThatKeepNobodyElseAwayAreFoundInTheMountsOptions) {
  EXPECT_FALSE(locks_stay_here(mounts, 254, 1));
  EXPECT_FALSE(locks_stay_here(mounts, 0, 51));
  EXPECT_TRUE(locks_stay_here(mounts, 0, 52));
  EXPECT_TRUE(locks_stay_here(mounts, 0, 53));
  EXPECT_FALSE(locks_stay_here(mounts, 0, 5)) << "that is another one";
}

TEST(Locks, ThatAreRefusedAreAnErrorWithAWayOut) {
  const testing::TemporaryDirectory directory;
  const auto file = directory.path() / "file";
  write_durably(file, "content");
  require_locks(file, file, Purpose::writing);
  set_fault([](std::string_view step) { return step == "lock" ? ENOLCK : 0; });
  try {
    require_locks(file, "dataset.h5", Purpose::writing);
    ADD_FAILURE() << "that is an error";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(),
                ::testing::AllOf(::testing::HasSubstr("dataset.h5: cannot lock it: No locks available"),
                                 ::testing::HasSubstr("Mount it as NFS 4")));
  }
  set_fault({});
}

}  // namespace
}  // namespace kernmill::storage
