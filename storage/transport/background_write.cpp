#include "kernmill/storage/transport/background_write.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "kernmill/storage/file/agreement.hpp"
#include "kernmill/storage/file/durable.hpp"
#include "kernmill/storage/file/mpi_info.hpp"
#include "kernmill/storage/transport/locks.hpp"

namespace kernmill::storage {
namespace {

constexpr std::uint64_t own_round = std::uint64_t{4} << 20;  // what a rank writes at a stretch by itself
constexpr std::chrono::seconds patience_at_the_end{10};

}  // namespace

BackgroundWrite::BackgroundWrite(MPI_Comm comm, const std::filesystem::path& file,
                                 const std::filesystem::path& named, const TableFileOptions& options,
                                 std::vector<Extent> places, const Extent& all)
    : comm_(comm), named_(named), places_(std::move(places)) {
  if (options.choice.file_system == FileSystem::nfs)
    agree(comm_.get(), [&] { require_locks(file, named, Purpose::writing); });
  agree(comm_.get(), [&] { open(file, options.hints()); });
  set_view();
  const std::uint64_t window = window_of(hints_of(file_));
  agree(comm_.get(), [&] {
    if (window == 0) own_bytes_ = std::make_unique<RawFile>(file, named, RawFile::Access::write);
  });
  rounds_ = cut(all, window > 0 ? window : own_round * static_cast<std::uint64_t>(size_of(comm)));
  next_ = rounds_.size();  // until it starts
}

BackgroundWrite::~BackgroundWrite() {
  if (file_ != MPI_FILE_NULL && done() && all_arrive(comm_.get(), patience_at_the_end))
    MPI_File_close(&file_);
}

void BackgroundWrite::open(const std::filesystem::path& file, const Hints& hints) {
  const MpiInfo info(hints);
  const int code = MPI_File_open(comm_.get(), file.c_str(), MPI_MODE_RDWR, info.get(), &file_);
  if (code != MPI_SUCCESS)
    throw Error(fmt::format("{}: cannot open it through MPI-IO: {}", named_.string(), mpi_reason(code)));
}

// A rank sees nothing of the file but its own places, one behind the other.
void BackgroundWrite::set_view() {
  std::vector<int> lengths;
  std::vector<MPI_Aint> at;
  for (const Extent& place : places_) {
    lengths.push_back(static_cast<int>(place.bytes()));
    at.push_back(static_cast<MPI_Aint>(place.begin));
  }
  const Scattered places(lengths, at);
  note("look at it", MPI_File_set_view(file_, 0, MPI_BYTE, places_.empty() ? MPI_BYTE : places.get(),
                                       "native", MPI_INFO_NULL));
}

void BackgroundWrite::start(std::vector<PlacedBytes> pieces) {
  pieces_ = std::move(pieces);
  next_ = 0;
}

void BackgroundWrite::begin_round(const Extent& window) {
  std::uint64_t before = 0;  // bytes of the view that lie before the window
  std::vector<int> lengths;
  std::vector<MPI_Aint> at;
  const int fault = fault_at("write");
  if (fault != 0 && error_.empty()) error_ = system_error(named_, "write it", fault).what();
  for (const PlacedBytes& piece : pieces_) {
    const Extent part = common(piece.extent(), window);
    before += common(piece.extent(), {0, window.begin}).bytes();
    if (part.empty() || !error_.empty()) continue;
    lengths.push_back(static_cast<int>(part.bytes()));
    MPI_Get_address(piece.bytes.data() + (part.begin - piece.offset), &at.emplace_back());
  }
  memory_.emplace(lengths, at);  // ROMIO does not hold on to it
  note("write it", MPI_File_iwrite_at_all(file_, static_cast<MPI_Offset>(before), MPI_BOTTOM,
                                          lengths.empty() ? 0 : 1, memory_->get(), &request_));
}

// With the round that is over.
void BackgroundWrite::let_disk_begin() const {
  for (const PlacedBytes& piece : pieces_) {
    const Extent part = common(piece.extent(), rounds_[next_ - 1]);
    if (!part.empty()) own_bytes_->start_sync(part.begin, part.bytes());
  }
}

bool BackgroundWrite::advance(std::chrono::nanoseconds budget) {
  const auto deadline = std::chrono::steady_clock::now() + budget;
  while (!done()) {
    if (request_ == MPI_REQUEST_NULL) begin_round(rounds_[next_++]);
    int over = 0;
    MPI_Status status;
    status.MPI_ERROR = MPI_SUCCESS;
    const int code = MPI_Test(&request_, &over, &status);
    note("write it", code != MPI_SUCCESS || over == 0 ? code : status.MPI_ERROR);
    if (over != 0 && own_bytes_) let_disk_begin();
    if (std::chrono::steady_clock::now() >= deadline) break;
    if (over == 0) std::this_thread::yield();
  }
  return done();
}

void BackgroundWrite::note(const char* what, int code) {
  if (code != MPI_SUCCESS && error_.empty())
    error_ = fmt::format("{}: cannot {}: {}", named_.string(), what, mpi_reason(code));
}

}  // namespace kernmill::storage
