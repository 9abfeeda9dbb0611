#include "kernmill/storage/transport/choice.hpp"

#include <gmock/gmock.h>

#include "kernmill/storage/error.hpp"

namespace kernmill::storage {
namespace {

using Choice = TransportSettings::Choice;

struct Case {
  Choice wanted;
  FileSystem file_system;
  int nodes;
  Transport transport;
  const char* reason;
};

TEST(Transport, GoesByFileSystemAndNodes) {
  for (const Case& c : std::vector<Case>{
           {Choice::automatic, FileSystem::local, 1, Transport::posix, "posix: a local file system, 1 node"},
           {Choice::automatic, FileSystem::local, 4, Transport::posix, "posix: a local file system, 4 nodes"},
           {Choice::automatic, FileSystem::nfs, 1, Transport::posix, "posix: NFS, 1 node"},
           {Choice::automatic, FileSystem::nfs, 2, Transport::mpiio, "mpiio: NFS, 2 nodes"},
           {Choice::automatic, FileSystem::lustre, 1, Transport::posix, "posix: Lustre, 1 node"},
           {Choice::automatic, FileSystem::lustre, 2, Transport::mpiio, "mpiio: Lustre, 2 nodes"},
           {Choice::automatic, FileSystem::gpfs, 9, Transport::mpiio, "mpiio: GPFS, 9 nodes"},
           {Choice::automatic, FileSystem::beegfs, 2, Transport::mpiio, "mpiio: BeeGFS, 2 nodes"},
           {Choice::automatic, FileSystem::ceph, 2, Transport::mpiio, "mpiio: CephFS, 2 nodes"},
           {Choice::automatic, FileSystem::unknown, 2, Transport::mpiio,
            "mpiio: an unknown file system, 2 nodes"},
           {Choice::posix, FileSystem::lustre, 2, Transport::posix, "posix: asked for; Lustre, 2 nodes"},
           {Choice::posix, FileSystem::nfs, 1, Transport::posix, "posix: asked for; NFS, 1 node"},
           {Choice::mpiio, FileSystem::local, 1, Transport::mpiio,
            "mpiio: asked for; a local file system, 1 node"},
       }) {
    const TransportChoice choice = decide_transport(c.wanted, c.file_system, c.nodes, Purpose::writing);
    EXPECT_EQ(choice.transport, c.transport) << c.reason;
    EXPECT_EQ(choice.reason, c.reason);
    EXPECT_EQ(choice.nodes, c.nodes);
  }
}

TEST(Transport, WritesNeverByItselfFromSeveralNodesThroughNfs) {
  try {
    decide_transport(Choice::posix, FileSystem::nfs, 3, Purpose::writing);
    FAIL() << "that is an error";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), ::testing::AllOf(::testing::HasSubstr("3 nodes"), ::testing::HasSubstr("NFS"),
                                           ::testing::HasSubstr("Say auto or mpiio")));
  }
  EXPECT_EQ(decide_transport(Choice::posix, FileSystem::nfs, 3, Purpose::reading).transport,
            Transport::posix);
}

TEST(FileSystems, AreKnownByTheirNumbers) {
  EXPECT_EQ(file_system_of(0x0BD00BD0), FileSystem::lustre);
  EXPECT_EQ(file_system_of(0x47504653), FileSystem::gpfs);
  EXPECT_EQ(file_system_of(0x6969), FileSystem::nfs);
  EXPECT_EQ(file_system_of(0x19830326), FileSystem::beegfs);
  EXPECT_EQ(file_system_of(0x00C36400), FileSystem::ceph);
  EXPECT_EQ(file_system_of(0xEF53), FileSystem::local);
  EXPECT_EQ(file_system_of(0xFFFFFFFF9123683E), FileSystem::local) << "it is signed on some machines";
  EXPECT_EQ(file_system_of(0x65735546), FileSystem::unknown) << "FUSE";
}

TEST(FileSystems, AreThoseOfTheNearestDirectoryThatIsThere) {
  EXPECT_EQ(file_system_at("/dev/shm/not/made/yet"), file_system_at("/dev/shm"));
  EXPECT_NE(file_system_at("/proc"), FileSystem::local);
}

}  // namespace
}  // namespace kernmill::storage
