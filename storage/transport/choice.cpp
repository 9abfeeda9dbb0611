#include "kernmill/storage/transport/choice.hpp"

#include <fmt/format.h>

#include "kernmill/storage/error.hpp"
#include "kernmill/storage/file/agreement.hpp"

namespace kernmill::storage {
namespace {

using Choice = TransportSettings::Choice;

/// Of how many nodes the ranks are. Collective.
int nodes_of(MPI_Comm comm) {
  if (size_of(comm) == 1) return 1;
  MPI_Comm node = MPI_COMM_NULL;
  MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  int first_of_node = rank_in(node) == 0 ? 1 : 0;
  MPI_Comm_free(&node);
  MPI_Request request;
  MPI_Iallreduce(MPI_IN_PLACE, &first_of_node, 1, MPI_INT, MPI_SUM, comm, &request);
  wait(request);
  return first_of_node;
}

Transport chosen(FileSystem file_system, int nodes) {
  return nodes == 1 || file_system == FileSystem::local ? Transport::posix : Transport::mpiio;
}

}  // namespace

const char* to_string(Transport transport) {
  return transport == Transport::posix ? "posix" : "mpiio";
}

TransportSettings asking_for(Transport transport) {
  return {transport == Transport::posix ? Choice::posix : Choice::mpiio};
}

TransportChoice decide_transport(Choice wanted, FileSystem file_system, int nodes, Purpose purpose) {
  if (wanted == Choice::posix && file_system == FileSystem::nfs && nodes > 1 && purpose == Purpose::writing)
    throw Error(
        fmt::format("`storage: {{transport: posix}}`: {} nodes would write one file through NFS, which does "
                    "not promise to get that right. Say auto or mpiio, or use one node",
                    nodes));
  TransportChoice choice{chosen(file_system, nodes), {}, file_system, nodes};
  if (wanted == Choice::posix) choice.transport = Transport::posix;
  if (wanted == Choice::mpiio) choice.transport = Transport::mpiio;
  choice.reason = fmt::format("{}: {}{}, {} {}", to_string(choice.transport),
                              wanted == Choice::automatic ? "" : "asked for; ", to_string(file_system), nodes,
                              nodes == 1 ? "node" : "nodes");
  return choice;
}

TransportChoice choose_transport(MPI_Comm comm, const std::filesystem::path& directory,
                                 const TransportSettings& settings, Purpose purpose) {
  int file_system = rank_in(comm) == 0 ? static_cast<int>(file_system_at(directory)) : 0;
  broadcast(comm, std::as_writable_bytes(std::span(&file_system, 1)));
  return decide_transport(settings.choice, static_cast<FileSystem>(file_system), nodes_of(comm), purpose);
}

bool likes_large_requests(FileSystem file_system) {
  return file_system == FileSystem::lustre || file_system == FileSystem::gpfs ||
         file_system == FileSystem::nfs || file_system == FileSystem::beegfs;
}

}  // namespace kernmill::storage
