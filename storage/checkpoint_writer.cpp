#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>

#include "kernmill/storage/agreement.hpp"
#include "kernmill/storage/checkpoint_directory.hpp"
#include "kernmill/storage/checkpoint_exchange.hpp"
#include "kernmill/storage/checkpoint_file.hpp"
#include "kernmill/storage/commit.hpp"
#include "kernmill/storage/crc32c.hpp"

namespace kernmill::storage {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

// How long a rank that is thrown out waits for the others to settle what is under way.
constexpr std::chrono::seconds patience{10};

std::optional<std::string> error_in(const std::function<void()>& work) {
  try {
    work();
    return std::nullopt;
  } catch (const std::exception& e) {
    return e.what();
  }
}

std::span<const std::byte> bytes_of(const OwnedBlock& block, const std::vector<double>& staging) {
  return std::as_bytes(std::span(staging).subspan(block.at, block.elements));
}

void require_equal(bool equal, const fs::path& named, const std::string& what) {
  if (!equal)
    throw Error(fmt::format("{}: {} did not reach the disk as it was written", named.string(), what));
}

/// What a rank's thread does: the blocks that are this rank's, and their checksums.
void write_blocks(const BlockFile& out, const fs::path& named, const CheckpointHeader& header,
                  const std::vector<OwnedBlock>& blocks, const std::vector<double>& staging) {
  fail_at("write", named);
  std::vector<std::uint32_t> sums;
  for (const OwnedBlock& block : blocks) {
    const TensorPlace& place = header.places[block.tensor];
    const auto bytes = bytes_of(block, staging);
    sums.push_back(crc32c(bytes));
    out.write(place.data + block.block * elements_per_block * sizeof(double), bytes);
    out.write(place.checksums + block.block * sizeof(std::uint32_t),
              std::as_bytes(std::span(&sums.back(), 1)));
  }
  out.sync();
  fail_at("verify", named);
  std::vector<std::byte> back;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const TensorPlace& place = header.places[blocks[i].tensor];
    back.resize(blocks[i].elements * sizeof(double));
    out.read(place.data + blocks[i].block * elements_per_block * sizeof(double), back);
    std::uint32_t stored = 0;
    out.read(place.checksums + blocks[i].block * sizeof stored,
             std::as_writable_bytes(std::span(&stored, 1)));
    require_equal(crc32c(std::span<const std::byte>(back)) == sums[i] && stored == sums[i], named,
                  fmt::format("block {} of '{}'", blocks[i].block, place.tensor.name));
  }
}

}  // namespace

struct CheckpointWriter::Impl {
  enum class Stage { idle, writing, publishing };

  OwnComm comm;
  const bool is_root;
  fs::path directory;
  Retention retention;

  Exchange exchange;
  Stage stage = Stage::idle;
  Clock::time_point begun;
  fs::path file, temporary;
  CheckpointHeader header;
  std::vector<double> staging;
  std::unique_ptr<BlockFile> out;
  std::future<std::optional<std::string>> work;  ///< of this rank; it gives the error
  std::optional<std::string> error;
  MPI_Request agreement = MPI_REQUEST_NULL;
  int first_failed = 0;

  Impl(MPI_Comm ranks, fs::path place, Retention kept)
      : comm(ranks),
        is_root(rank_in(ranks) == 0),
        directory(std::move(place)),
        retention(kept),
        exchange(comm.get()) {}

  void create() {
    std::string bytes;
    agree_on_root(comm.get(), [&] {
      for (const TensorLayout& tensor : exchange.layout())
        header.places.push_back({{tensor.name, tensor.shape}});
      std::error_code failed;
      fs::create_directories(directory, failed);
      if (failed) throw system_error(directory, "create it", failed.value());
      bytes = packed(create_checkpoint_file(temporary, file, header));
    });
    broadcast(comm.get(), bytes);
    header = unpacked_header(bytes);
    agree(comm.get(), [&] {
      if (is_root || !exchange.plan().owned.empty())
        out = std::make_unique<BlockFile>(temporary, file, BlockFile::Mode::write);
    });
  }

  void launch(std::function<void()> job) {
    error.reset();
    work = std::async(std::launch::async, [job = std::move(job)] { return error_in(job); });
  }

  void write() {
    launch([this] {
      if (out == nullptr) return;
      write_blocks(*out, file, header, exchange.plan().owned, staging);
      if (is_root) require_sound_structure(*out, file);
    });
  }

  void publish_here() const {
    if (!out->is(temporary)) throw Error(fmt::format("{}: another program writes it, too", file.string()));
    publish(temporary, file);
    remove_superseded(directory, header.step, retention);
  }

  /// One step further, without waiting. True at the end: then the outcome is in `error`.
  bool advance() {
    if (work.valid()) {
      if (work.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return false;
      error = work.get();
      first_failed = error ? rank_in(comm.get()) : size_of(comm.get());
      MPI_Iallreduce(MPI_IN_PLACE, &first_failed, 1, MPI_INT, MPI_MIN, comm.get(), &agreement);
    }
    int done = 0;
    MPI_Test(&agreement, &done, MPI_STATUS_IGNORE);
    if (!done) return false;
    if (first_failed < size_of(comm.get())) {
      std::string text = error.value_or("");
      broadcast(comm.get(), text, first_failed);
      error = text;
      return true;
    }
    if (stage == Stage::publishing) return true;
    stage = Stage::publishing;
    launch([this] {
      if (is_root) publish_here();
    });
    return false;
  }

  CheckpointOutcome end() {
    stage = Stage::idle;
    out.reset();
    if (is_root && error) remove_quietly(temporary);
    return {header.step, error.value_or(""), std::chrono::duration<double>(Clock::now() - begun).count()};
  }
};

CheckpointWriter::CheckpointWriter(MPI_Comm comm, fs::path directory, Retention retention)
    : impl_(std::make_unique<Impl>(comm, std::move(directory), retention)) {}

CheckpointWriter::~CheckpointWriter() {
  const auto deadline = Clock::now() + patience;
  while (busy() && !poll() && Clock::now() < deadline) std::this_thread::yield();
}

void CheckpointWriter::start(std::uint64_t step, const std::string& state, std::span<const TensorBox> boxes) {
  Impl& self = *impl_;
  if (busy()) throw std::logic_error("a checkpoint was begun before the one before had ended");
  self.begun = Clock::now();
  self.file = checkpoint_file(self.directory, step);
  self.temporary = temporary_beside(self.file);
  self.header = {step, state, {}};
  self.exchange.prepare(boxes);
  try {
    self.create();
  } catch (const Error&) {
    self.out.reset();
    if (self.is_root) remove_quietly(self.temporary);
    throw;
  }
  self.exchange.run(boxes, self.staging);
  self.stage = Impl::Stage::writing;
  self.write();
}

bool CheckpointWriter::busy() const {
  return impl_->stage != Impl::Stage::idle;
}

std::optional<CheckpointOutcome> CheckpointWriter::poll() {
  if (!busy() || !impl_->advance()) return std::nullopt;
  return impl_->end();
}

std::optional<CheckpointOutcome> CheckpointWriter::finish() {
  while (busy()) {
    if (auto outcome = poll()) return outcome;
    std::this_thread::yield();
  }
  return std::nullopt;
}

}  // namespace kernmill::storage
