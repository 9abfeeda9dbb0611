#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>

#include "kernmill/storage/checkpoint/checkpoint_directory.hpp"
#include "kernmill/storage/checkpoint/checkpoint_exchange.hpp"
#include "kernmill/storage/checkpoint/checkpoint_file.hpp"
#include "kernmill/storage/file/agreement.hpp"
#include "kernmill/storage/file/durable.hpp"
#include "kernmill/storage/file/from_root.hpp"
#include "kernmill/storage/sealed/chunk_writer.hpp"

namespace kernmill::storage {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

// How long a rank that is thrown out waits for the others to settle what is under way.
constexpr std::chrono::seconds patience{10};

/// Work of a rank's own thread, and then what all ranks' work came to. No call waits.
class AgreedWork {
 public:
  explicit AgreedWork(MPI_Comm comm) : comm_(comm) {}

  void launch(const std::function<void()>& work) {
    error_.clear();
    running_ = std::async(std::launch::async, [work]() -> std::optional<std::string> {
      try {
        work();
        return std::nullopt;
      } catch (const std::exception& e) {
        return e.what();
      }
    });
  }

  [[nodiscard]] bool ended_here() const {
    return !running_.valid() || running_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  /// For loops that ask again: leaves the cores to this rank's own thread while it works, and to the messages
  /// of the others then.
  void rest() const {
    constexpr std::chrono::milliseconds moment{1};
    if (running_.valid())
      running_.wait_for(moment);
    else
      std::this_thread::yield();
  }
  /// Whether all ranks' work has ended. Then `error` is the lowest failed rank's, on every rank.
  bool settled() {
    if (!ended_here()) return false;
    if (running_.valid()) {
      const auto failed = running_.get();
      error_ = failed.value_or("");
      first_failed_ = failed ? rank_in(comm_) : size_of(comm_);
      MPI_Iallreduce(MPI_IN_PLACE, &first_failed_, 1, MPI_INT, MPI_MIN, comm_, &agreement_);
    }
    int done = 0;
    MPI_Test(&agreement_, &done, MPI_STATUS_IGNORE);
    if (done && first_failed_ < size_of(comm_)) broadcast(comm_, error_, first_failed_);
    return done != 0;
  }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  MPI_Comm comm_;
  std::future<std::optional<std::string>> running_;  ///< gives the error
  MPI_Request agreement_ = MPI_REQUEST_NULL;
  int first_failed_ = 0;
  std::string error_;
};

/// What rank 0 has made, for all.
struct Begun {
  std::string temporary;  ///< the name to write under
  CheckpointHeader header;
};

auto members_of(Is<Begun> auto& begun) {
  return std::tie(begun.temporary, begun.header);
}

}  // namespace

struct CheckpointWriter::Impl {
  enum class Stage { idle, writing, publishing };

  OwnComm comm;
  const bool is_root;
  const fs::path directory;
  const Retention retention;
  const std::optional<Key> key;

  Exchange exchange;
  Stage stage = Stage::idle;
  Clock::time_point begun;
  fs::path file, temporary;
  CheckpointHeader header;
  std::string content;  ///< on rank 0, of an encrypted one
  std::vector<std::byte> staging;
  std::unique_ptr<ChunkWriter> out;  ///< of a rank that has something to write
  AgreedWork work;                   ///< last: its thread ends before what it uses

  Impl(MPI_Comm ranks, fs::path place, Retention kept, std::optional<Key> secret)
      : comm(ranks),
        is_root(rank_in(ranks) == 0),
        directory(std::move(place)),
        retention(kept),
        key(std::move(secret)),
        exchange(comm.get()),
        work(comm.get()) {}

  void create() {
    auto made_by_root = from_root(comm.get(), [&] {
      std::error_code failed;
      fs::create_directories(directory, failed);
      if (failed) throw system_error(directory, "create it", failed.value());
      for (const TensorLayout& tensor : exchange.layout())
        header.tensors.push_back({tensor.name, tensor.shape, tensor.type});
      remove_leftovers(directory, [](const fs::path& name) { return is_checkpoint(name); });
      temporary = temporary_beside(file);
      auto made = create_checkpoint_file(temporary, file, header, key);
      content = std::move(made.content);
      return Begun{temporary.string(), std::move(made.header)};
    });
    temporary = std::move(made_by_root.temporary);
    header = std::move(made_by_root.header);
    agree(comm.get(), [&] {
      if (is_root || !exchange.plan().owned.empty())
        out = std::make_unique<ChunkWriter>(temporary, file, header.tables, cipher_of(header.salt, key));
    });
  }

  void write() {
    if (out == nullptr) return;
    for (const OwnedChunk& chunk : exchange.plan().owned)
      out->write(chunk.tensor, chunk.offset, std::span(staging).subspan(chunk.at, chunk.bytes));
    if (!content.empty()) out->write(header.tensors.size(), 0, std::as_bytes(std::span(content)));
    out->finish();
    if (is_root) require_sound_structure(temporary, file);
  }

  void publish() {
    if (!is_root) return;
    if (!out->file().is(temporary))
      throw Error(fmt::format("{}: another program is writing it, too. End that one", file.string()));
    publish_read_only(temporary, file);
    remove_superseded(directory, header.step, retention);
  }

  std::optional<CheckpointOutcome> advance() {
    if (stage == Stage::idle || !work.settled()) return std::nullopt;
    if (stage == Stage::writing && work.error().empty()) {
      stage = Stage::publishing;
      work.launch([this] { publish(); });
      return std::nullopt;
    }
    clear(!work.error().empty());
    return CheckpointOutcome{header.step, work.error(),
                             std::chrono::duration<double>(Clock::now() - begun).count()};
  }

  void clear(bool failed) {
    stage = Stage::idle;
    out.reset();
    if (failed && is_root && !temporary.empty()) remove_quietly(temporary);
  }
};

CheckpointWriter::CheckpointWriter(MPI_Comm comm, fs::path directory, Retention retention,
                                   std::optional<Key> key)
    : impl_(std::make_unique<Impl>(comm, std::move(directory), retention, std::move(key))) {}

CheckpointWriter::~CheckpointWriter() {
  const auto deadline = Clock::now() + patience;
  while (busy() && !poll() && Clock::now() < deadline) impl_->work.rest();
}

void CheckpointWriter::start(std::uint64_t step, const std::string& state, std::span<const TensorBox> boxes) {
  Impl& self = *impl_;
  if (busy()) throw std::logic_error("a checkpoint was begun before the one before had ended");
  self.begun = Clock::now();
  self.file = checkpoint_file(self.directory, step);
  self.temporary.clear();
  self.header = {step, state, {}, {}, {}};
  self.exchange.prepare(boxes);
  try {
    self.create();
  } catch (const Error&) {
    self.clear(true);
    throw;
  }
  self.exchange.run(boxes, self.staging);
  self.stage = Impl::Stage::writing;
  self.work.launch([&self] { self.write(); });
}

bool CheckpointWriter::busy() const {
  return impl_->stage != Impl::Stage::idle;
}

bool CheckpointWriter::written_here() const {
  return busy() && impl_->work.ended_here();
}

std::optional<CheckpointOutcome> CheckpointWriter::poll() {
  return impl_->advance();
}

std::optional<CheckpointOutcome> CheckpointWriter::finish() {
  while (busy()) {
    if (auto outcome = poll()) return outcome;
    impl_->work.rest();
  }
  return std::nullopt;
}

}  // namespace kernmill::storage
