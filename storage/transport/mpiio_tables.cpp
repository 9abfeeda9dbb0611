#include <algorithm>
#include <map>

#include "kernmill/storage/file/agreement.hpp"
#include "kernmill/storage/file/commit.hpp"
#include "kernmill/storage/file/raw_file.hpp"
#include "kernmill/storage/hdf5/hdf5_parallel.hpp"
#include "kernmill/storage/transport/locks.hpp"
#include "kernmill/storage/transport/table_file.hpp"

namespace kernmill::storage {
namespace {

using hdf5::ParallelDataset;
using hdf5::ParallelFile;

// What a rank writes and reads at a stretch where each has its own: little enough to be in the cache still
// when it has been sealed, or is about to be. (Two ranks, a local disk: 0.88 of posix; of 32 MiB 0.66 to
// 0.82.)
constexpr std::uint64_t own_piece = std::uint64_t{4} << 20;
// What it reads where some read for all: that of two buffers' memory.
constexpr std::uint64_t shared_read = std::uint64_t{16} << 20;
constexpr std::chrono::seconds others_patience{10};

std::vector<Extent> extents_of_all(MPI_Comm comm, const Extent& own) {
  std::vector<Extent> all(static_cast<std::size_t>(size_of(comm)));
  MPI_Request request;
  MPI_Iallgather(&own, 2, MPI_UINT64_T, all.data(), 2, MPI_UINT64_T, comm, &request);
  wait(request);
  return all;
}

class MpiioTables : public TableFile {
 public:
  MpiioTables(MPI_Comm comm, const std::filesystem::path& file, const std::filesystem::path& named,
              const TableFileOptions& options, Purpose purpose, std::unique_ptr<RawFile> own_bytes)
      : comm_(comm),
        named_(named),
        file_(comm_.get(), file, named,
              purpose == Purpose::writing ? ParallelFile::Access::write : ParallelFile::Access::read,
              options.hints()),
        hints_(file_.hints()),
        window_(window_of(hints_)),
        own_bytes_(window_ == 0 ? std::move(own_bytes) : nullptr) {}

  // Closing is collective: where a rank has gone another way, the others do not wait for it.
  ~MpiioTables() override {
    if (all_arrive(comm_.get(), others_patience)) return;
    for (auto& [name, dataset] : datasets_) dataset.abandon();
    file_.abandon();
  }
  MpiioTables(const MpiioTables&) = delete;
  MpiioTables& operator=(const MpiioTables&) = delete;

  void open(const std::vector<std::string>& datasets) {
    for (const std::string& name : datasets) datasets_.emplace(name, file_.open(name));
  }

  [[nodiscard]] std::vector<Extent> rounds_to_write(const Extent& own) const override {
    if (window_ == 0) return padded(own, own_piece);
    std::vector<Extent> rounds = windows_over(extents_of_all(comm_.get(), own), window_);
    for (Extent& round : rounds) round = common(own, round);
    return rounds;
  }
  [[nodiscard]] std::vector<Extent> rounds_to_read(const Extent& own) const override {
    return padded(own, window_ == 0 ? own_piece : shared_read);
  }
  void write(const Place& at, std::span<const std::byte> bytes) override {
    const int fault = fault_at("write");
    dataset_of(at).write(at.offset, fault == 0 ? bytes : std::span<const std::byte>{});
    if (fault != 0) throw system_error(named_, "write it", fault);
    if (own_bytes_ && !bytes.empty()) own_bytes_->start_sync(at.begin + at.offset, bytes.size());
  }
  void read(const Place& at, std::span<std::byte> out) override { dataset_of(at).read(at.offset, out); }
  void sync() override {
    file_.sync();
    fail_at("sync", named_);
  }
  [[nodiscard]] Hints hints() const override { return hints_; }

 private:
  [[nodiscard]] std::vector<Extent> padded(const Extent& own, std::uint64_t bytes) const {
    std::vector<Extent> rounds = cut(own, bytes);
    std::uint64_t most = rounds.size();
    MPI_Request request;
    MPI_Iallreduce(MPI_IN_PLACE, &most, 1, MPI_UINT64_T, MPI_MAX, comm_.get(), &request);
    wait(request);
    rounds.resize(most, Extent{own.end, own.end});
    return rounds;
  }
  [[nodiscard]] const ParallelDataset& dataset_of(const Place& at) const { return datasets_.at(at.dataset); }

  OwnComm comm_;
  std::filesystem::path named_;
  ParallelFile file_;
  Hints hints_;
  std::uint64_t window_;
  std::unique_ptr<RawFile> own_bytes_;  ///< where each rank writes its own: to let the disk begin with them
  std::map<std::string, ParallelDataset> datasets_;
};

}  // namespace

std::unique_ptr<TableFile> open_tables(MPI_Comm comm, const std::filesystem::path& file,
                                       const std::filesystem::path& named,
                                       const std::vector<std::string>& datasets,
                                       const TableFileOptions& options, Purpose purpose) {
  if (options.choice.transport == Transport::posix) return open_posix(file, named);
  if (options.choice.file_system == FileSystem::nfs)
    agree(comm, [&] { require_locks(file, named, purpose); });
  std::unique_ptr<RawFile> own_bytes;
  agree(comm, [&] {  // apart, since a rank that failed here could not join the collective open
    if (purpose == Purpose::writing)
      own_bytes = std::make_unique<RawFile>(file, named, RawFile::Access::write);
  });
  std::unique_ptr<MpiioTables> tables;
  agree(comm, [&] {
    tables = std::make_unique<MpiioTables>(comm, file, named, options, purpose, std::move(own_bytes));
  });
  agree(comm, [&] { tables->open(datasets); });
  return tables;
}

}  // namespace kernmill::storage
