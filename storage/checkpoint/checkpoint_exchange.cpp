#include "kernmill/storage/checkpoint/checkpoint_exchange.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include "kernmill/storage/file/agreement.hpp"

namespace kernmill::storage {
namespace {

constexpr std::uint64_t bytes_per_message = std::uint64_t{1} << 30;  // counts of MPI are ints

void begin_transfer(LargeVector<std::byte>& data, int peer, bool sending, MPI_Comm comm,
                    std::vector<MPI_Request>& requests) {
  for (std::uint64_t at = 0; at < data.size(); at += bytes_per_message) {
    const int count = static_cast<int>(std::min(bytes_per_message, data.size() - at));
    MPI_Request& request = requests.emplace_back();
    if (sending)
      MPI_Isend(data.data() + at, count, MPI_BYTE, peer, 0, comm, &request);
    else
      MPI_Irecv(data.data() + at, count, MPI_BYTE, peer, 0, comm, &request);
  }
}

}  // namespace

bool Exchange::nothing_new(const std::string& description) const {
  int same = description == description_ ? 1 : 0;
  MPI_Request request;
  MPI_Iallreduce(MPI_IN_PLACE, &same, 1, MPI_INT, MPI_MIN, comm_, &request);
  wait(request);
  return same != 0;
}

void Exchange::prepare(std::span<const TensorBox> own) {
  agree(comm_, [&] { require_sound(own); });
  std::string description = description_of(own);
  if (nothing_new(description)) return;
  description_.clear();  // until all have agreed to the new one
  const std::vector<std::string> all = gather_texts(comm_, description);
  agree(comm_, [&] { layout_ = layout_from(all); });
  agree_on_root(comm_,
                [&] { require_whole(layout_); });  // quadratic in the boxes of a tensor: once is enough
  plan_ = plan_chunks(layout_, rank_in(comm_));
  find_sources(own);
  description_ = std::move(description);
}

void Exchange::find_sources(std::span<const TensorBox> own) {
  sources_.clear();
  for (const TensorLayout& tensor : layout_) {
    auto& sources = sources_.emplace_back();
    for (const HeldBox& held : tensor.boxes) {
      const auto found = std::find_if(own.begin(), own.end(), [&](const TensorBox& part) {
        return part.name == tensor.name && part.box == held.box;
      });
      sources.push_back(static_cast<std::size_t>(found - own.begin()));
    }
  }
}

template <class Visit>
void Exchange::each_run(const BoxPart& part, const Visit& visit) const {
  const TensorLayout& tensor = layout_[part.tensor];
  const std::uint64_t bytes = size_of(tensor.type);
  Runs(tensor.shape, tensor.boxes[part.box].box)
      .each(part.begin, part.end, [&](std::uint64_t at, std::uint64_t from, std::uint64_t count) {
        visit(part.at + (at - part.begin) * bytes, from * bytes, count * bytes);
      });
}

std::uint64_t Exchange::bytes_in(const std::vector<BoxPart>& parts) const {
  std::uint64_t all = 0;
  for (const BoxPart& part : parts)
    each_run(part, [&](std::uint64_t, std::uint64_t, std::uint64_t bytes) { all += bytes; });
  return all;
}

void Exchange::run(std::span<const TensorBox> own, LargeVector<std::byte>& staging) const {
  staging.resize(plan_.staging_bytes);
  std::map<int, LargeVector<std::byte>> received, sent;
  std::vector<MPI_Request> requests;
  for (const auto& [rank, parts] : plan_.received) {
    received[rank].resize(bytes_in(parts));
    begin_transfer(received[rank], rank, false, comm_, requests);
  }
  const auto source = [&](const BoxPart& part) { return own[sources_[part.tensor][part.box]].data.bytes(); };
  for (const auto& [rank, parts] : plan_.sent) {
    LargeVector<std::byte>& bytes = sent[rank];
    bytes.reserve(bytes_in(parts));
    for (const BoxPart& part : parts)
      each_run(part, [&](std::uint64_t, std::uint64_t from, std::uint64_t count) {
        const auto run = source(part).subspan(from, count);
        bytes.insert(bytes.end(), run.begin(), run.end());
      });
    begin_transfer(bytes, rank, true, comm_, requests);
  }
  for (const BoxPart& part : plan_.kept)
    each_run(part, [&](std::uint64_t at, std::uint64_t from, std::uint64_t count) {
      std::memcpy(staging.data() + at, source(part).data() + from, count);
    });
  for (MPI_Request& request : requests) wait(request);
  for (const auto& [rank, parts] : plan_.received) {
    const std::byte* next = received[rank].data();
    for (const BoxPart& part : parts)
      each_run(part, [&](std::uint64_t at, std::uint64_t, std::uint64_t count) {
        std::memcpy(staging.data() + at, next, count);
        next += count;
      });
  }
}

}  // namespace kernmill::storage
