#pragma once
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernmill/run/journal/fold.hpp"
#include "kernmill/workflow/value/json_text.hpp"

/// Private to snapshot.cpp: how a FoldState lies in a snapshot. Each `fields` names the members of a type
/// once, for writing and for reading. Whoever changes one of them, or what the fold makes of a line, raises
/// `snapshot_version`.
namespace kernmill::snapshot {

inline constexpr int snapshot_version = 3;

template <typename T, typename Of>
concept Is = std::same_as<std::remove_const_t<T>, Of>;

template <typename T>
concept Number = std::is_arithmetic_v<std::remove_const_t<T>> || std::is_enum_v<std::remove_const_t<T>>;

class Writer {
 public:
  template <typename... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }
  std::string text;

 private:
  template <Number T>
  void put(const T& value) {
    std::uint64_t bits = 0;
    if constexpr (std::is_floating_point_v<T>)
      bits = std::bit_cast<std::uint64_t>(static_cast<double>(value));
    else
      bits = static_cast<std::uint64_t>(value);
    text.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  }
  void put(const std::string& value) {
    put(value.size());
    text += value;
  }
  void put(const Json& value) { put(value.dump()); }
  template <typename K, typename V>
  void put(const std::pair<K, V>& value) {
    (*this)(value.first, value.second);
  }
  template <typename T>
  void put(const std::vector<T>& values) {
    put(values.size());
    for (const T& value : values) put(value);
  }
  template <typename K, typename V, typename C>
  void put(const std::map<K, V, C>& values) {
    put(values.size());
    for (const auto& [key, value] : values) (*this)(key, value);
  }
  template <typename T>
  void put(const T& value) {
    fields(*this, value);
  }
};

/// Throws std::invalid_argument when the text ends before what it should hold.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  template <typename... T>
  void operator()(T&... values) {
    (get(values), ...);
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  std::string_view take(std::uint64_t bytes) {
    if (bytes > rest_.size()) throw std::invalid_argument("a snapshot is cut short");
    const std::string_view text = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return text;
  }

 private:
  template <Number T>
  void get(T& value) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, take(sizeof bits).data(), sizeof bits);
    if constexpr (std::is_floating_point_v<T>)
      value = std::bit_cast<double>(bits);
    else
      value = static_cast<T>(bits);
  }
  std::uint64_t size() {
    std::uint64_t size = 0;
    get(size);
    return size;
  }
  void get(std::string& value) { value = take(size()); }
  void get(Json& value) { value = parse_json(take(size())); }
  template <typename T>
  void get(std::vector<T>& values) {
    for (std::uint64_t left = size(); left > 0; --left) get(values.emplace_back());
  }
  template <typename K, typename V, typename C>
  void get(std::map<K, V, C>& values) {
    for (std::uint64_t left = size(); left > 0; --left) {
      K key{};
      get(key);
      get(values.emplace_hint(values.end(), std::move(key), V{})->second);
    }
  }
  template <typename K, typename V>
  void get(std::pair<K, V>& value) {
    (*this)(value.first, value.second);
  }
  template <typename T>
  void get(T& value) {
    fields(*this, value);
  }
  std::string_view rest_;
};

template <typename Io>
void fields(Io& io, Is<ProcessIdentity> auto& of) {
  io(of.pid, of.start_time, of.host);
}
template <typename Io>
void fields(Io& io, Is<AttemptRecord> auto& of) {
  io(of.number, of.job, of.started, of.state, of.cause, of.exit_code, of.signal, of.message, of.submitted_at,
     of.started_at, of.ended_at, of.exec, of.step, of.mem_factor, of.time_factor, of.counts, of.key,
     of.cached_from, of.node, of.failed_node, of.slot, of.peak_memory, of.warning, of.other_inputs);
}
template <typename Io>
void fields(Io& io, Is<Artifact> auto& of) {
  io(of.name, of.path, of.bytes, of.sha256, of.temp);
}
template <typename Io>
void fields(Io& io, Is<InstanceRecord> auto& of) {
  io(of.handed_out, of.attempts, of.committed, of.skipped, of.skip_reason, of.why, of.metrics, of.artifacts);
}
template <typename Io>
void fields(Io& io, Is<Generation::Array> auto& of) {
  io(of.plan, of.job);
}
template <typename Io>
void fields(Io& io, Is<Generation> auto& of) {
  io(of.number, of.token, of.fail_fast, of.no_cache, of.arrays, of.closing_job, of.accepted, of.released,
     of.rolled_back);
}
template <typename Io>
void fields(Io& io, Is<PackRecord::Range> auto& of) {
  io(of.first, of.last, of.attempt);
}
template <typename Io>
void fields(Io& io, Is<PackRecord> auto& of) {
  io(of.stage, of.job, of.attempts);
}
template <typename Io>
void fields(Io& io, Is<RunRecord> auto& of) {
  io(of.instances, of.started_at, of.ended_at, of.outcome, of.conductor, of.scheduler, of.life, of.lives,
     of.generations, of.packs);
}
template <typename Io>
void fields(Io& io, Is<FoldState::Moment> auto& of) {
  io(of.life, of.time, of.file, of.line);
}
template <typename Io>
void fields(Io& io, Is<FoldState::Leavings> auto& of) {
  io(of.attempt, of.metrics, of.artifacts);
}
template <typename Io>
void fields(Io& io, Is<FoldState::Known> auto& of) {
  io(of.record, of.commits, of.lost);
}
template <typename Io>
void fields(Io& io, Is<FoldState> auto& of) {
  io(of.record, of.instances, of.first, of.started, of.finished, of.outcome);
}

}  // namespace kernmill::snapshot
