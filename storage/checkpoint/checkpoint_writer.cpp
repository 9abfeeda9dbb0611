#include <algorithm>
#include <chrono>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/storage/checkpoint/agreed_work.hpp"
#include "kernmill/storage/checkpoint/checkpoint_directory.hpp"
#include "kernmill/storage/checkpoint/checkpoint_exchange.hpp"
#include "kernmill/storage/checkpoint/checkpoint_file.hpp"
#include "kernmill/storage/file/agreement.hpp"
#include "kernmill/storage/file/durable.hpp"
#include "kernmill/storage/file/from_root.hpp"
#include "kernmill/storage/sealed/chunk_writer.hpp"
#include "kernmill/storage/transport/background_write.hpp"

namespace kernmill::storage {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

// How long a rank that is thrown out waits for the others to settle what is under way.
constexpr std::chrono::seconds patience{10};

// Of the time between two calls of `poll`, what it gives to writes through MPI-IO.
constexpr int share_of_poll = 20;

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
  /// With mpiio `writing` is: sealing, transferring, syncing, verifying.
  enum class Stage { idle, writing, sealing, transferring, syncing, verifying, publishing };

  OwnComm comm;
  const bool is_root;
  const fs::path directory;
  const Retention retention;
  const std::optional<Key> key;
  const TableFileOptions transport;

  Exchange exchange;
  Stage stage = Stage::idle;
  Clock::time_point begun;
  fs::path file, temporary;
  CheckpointHeader header;
  std::string content;  ///< on rank 0, of an encrypted one
  LargeVector<std::byte> staging;
  std::unique_ptr<ChunkWriter> out;           ///< of a rank that has something to write
  std::unique_ptr<BackgroundWrite> together;  ///< with mpiio; open until all close it
  Clock::time_point polled;
  AgreedWork work;  ///< last: its thread ends before what it uses

  Impl(MPI_Comm ranks, fs::path place, Retention kept, std::optional<Key> secret,
       const TransportSettings& settings)
      : comm(ranks),
        is_root(rank_in(ranks) == 0),
        directory(std::move(place)),
        retention(kept),
        key(std::move(secret)),
        transport{choose_transport(ranks, directory, settings), settings},
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
      auto made = create_checkpoint_file(temporary, file, header, key, transport.hints());
      content = std::move(made.content);
      return Begun{temporary.string(), std::move(made.header)};
    });
    temporary = std::move(made_by_root.temporary);
    header = std::move(made_by_root.header);
    agree(comm.get(), [&] {
      if (is_root || by_mpiio() || !exchange.plan().owned.empty())
        out = std::make_unique<ChunkWriter>(temporary, file, header.tables, cipher_of(header.salt, key));
    });
    if (by_mpiio())
      together = std::make_unique<BackgroundWrite>(comm.get(), temporary, file, transport, own_places(),
                                                   all_tables());
  }

  [[nodiscard]] bool by_mpiio() const { return transport.choice.transport == Transport::mpiio; }

  /// Calls it with what this rank writes: table, offset, bytes.
  template <class Visit>
  void each_chunk(const Visit& visit) {
    for (const OwnedChunk& chunk : exchange.plan().owned)
      visit(chunk.tensor, chunk.offset, std::span(staging).subspan(chunk.at, chunk.bytes));
    if (!content.empty())
      visit(header.tensors.size(), std::uint64_t{0}, std::as_writable_bytes(std::span(content)));
  }

  [[nodiscard]] std::vector<Extent> own_places() const {
    std::vector<Extent> places;
    for (const OwnedChunk& chunk : exchange.plan().owned)
      out->add_places(chunk.tensor, chunk.offset, chunk.bytes, places);
    if (!content.empty()) out->add_places(header.tensors.size(), 0, content.size(), places);
    std::sort(places.begin(), places.end(),
              [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
    return places;
  }

  [[nodiscard]] Extent all_tables() const {
    Extent all{~std::uint64_t{0}, 0};
    std::vector<Extent> places;
    for (std::size_t i = 0; i < header.tables.size(); ++i)
      if (header.tables[i].bytes > 0) out->add_places(i, 0, header.tables[i].bytes, places);
    for (const Extent& place : places) all = {std::min(all.begin, place.begin), std::max(all.end, place.end)};
    return places.empty() ? Extent{} : all;
  }

  void write() {
    if (out == nullptr) return;
    each_chunk([this](auto table, auto offset, auto bytes) { out->write(table, offset, bytes); });
    out->sync();
    verify();
  }

  void seal() {
    each_chunk([this](auto table, auto offset, auto bytes) { out->seal(table, offset, bytes); });
  }

  void verify() {
    out->verify();
    if (is_root) require_sound_structure(temporary, file);
  }

  /// What comes after a stage that has ended well on all ranks.
  void go_on() {
    switch (stage) {
      case Stage::sealing:
        together->start(out->sealed());
        stage = Stage::transferring;
        return;
      case Stage::syncing:
        return launch(Stage::verifying, [this] {
          out->reopen();
          verify();
        });
      default:
        return launch(Stage::publishing, [this] { publish(); });
    }
  }

  void launch(Stage next, const std::function<void()>& run) {
    stage = next;
    work.launch(run);
  }

  /// Gets on with writes that need the ranks' own time: a share of what has passed since the last call.
  void transfer() {
    const auto now = Clock::now();
    const bool done = together->advance((now - polled) / share_of_poll);
    polled = Clock::now();
    if (!done) return;
    launch(Stage::syncing, [this] {
      if (!together->error().empty()) throw Error(together->error());
      out->sync();
    });
  }

  void publish() {
    if (!is_root) return;
    if (!out->file().is(temporary))
      throw Error(fmt::format("{}: another program is writing it, too. End that one", file.string()));
    publish_read_only(temporary, file);
    remove_superseded(directory, header.step, retention);
  }

  std::optional<CheckpointOutcome> advance() {
    if (stage == Stage::transferring) transfer();
    if (stage == Stage::idle || stage == Stage::transferring || !work.settled()) return std::nullopt;
    if (stage != Stage::publishing && work.error().empty()) {
      go_on();
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
                                   std::optional<Key> key, const TransportSettings& transport)
    : impl_(std::make_unique<Impl>(comm, std::move(directory), retention, std::move(key), transport)) {}

CheckpointWriter::~CheckpointWriter() {
  const auto deadline = Clock::now() + patience;
  while (busy() && !poll() && Clock::now() < deadline) impl_->work.rest();
}

void CheckpointWriter::start(std::uint64_t step, const std::string& state, std::span<const TensorBox> boxes) {
  Impl& self = *impl_;
  if (busy()) throw std::logic_error("a checkpoint was begun before the one before had ended");
  self.together.reset();  // the one before may be open still: closing is collective
  self.begun = Clock::now();
  self.polled = self.begun;
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
  if (self.by_mpiio())
    self.launch(Impl::Stage::sealing, [&self] { self.seal(); });
  else
    self.launch(Impl::Stage::writing, [&self] { self.write(); });
}

bool CheckpointWriter::busy() const {
  return impl_->stage != Impl::Stage::idle;
}

bool CheckpointWriter::written_here() const {
  return busy() && impl_->stage != Impl::Stage::transferring && impl_->work.ended_here();
}

const TransportChoice& CheckpointWriter::transport() const {
  return impl_->transport.choice;
}

std::optional<CheckpointOutcome> CheckpointWriter::poll() {
  return impl_->advance();
}

std::optional<CheckpointOutcome> CheckpointWriter::finish() {
  std::optional<CheckpointOutcome> outcome;
  while (busy() && !(outcome = poll())) impl_->work.rest();
  impl_->together.reset();
  return outcome;
}

}  // namespace kernmill::storage
