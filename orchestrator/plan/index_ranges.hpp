#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kernmill {

/// A set of numbers kept as ranges, in the notation of Slurm: "0-76,78-99". A million consecutive ones cost
/// as much as two.
class IndexRanges {
 public:
  struct Range {
    std::uint32_t first = 0, last = 0;  ///< both belong to it
    friend bool operator==(const Range&, const Range&) = default;
  };
  IndexRanges() = default;
  IndexRanges(std::uint32_t first, std::uint32_t last) : ranges_{{first, last}} {}
  /// Throws std::invalid_argument when the text is no such set: numbers rise and do not repeat.
  static IndexRanges parse(std::string_view text);

  /// Adds a number above all that it holds (std::invalid_argument otherwise).
  void append(std::uint32_t number);
  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] std::uint32_t size() const;
  [[nodiscard]] bool contains(std::uint32_t number) const;
  [[nodiscard]] bool contains(const IndexRanges& other) const;
  /// The number of that rank, from 0 on; std::out_of_range.
  [[nodiscard]] std::uint32_t at(std::uint32_t rank) const;
  /// How many smaller ones it holds.
  [[nodiscard]] std::uint32_t rank_of(std::uint32_t number) const;
  /// The `count` (or fewer, at the end) numbers from that rank on.
  [[nodiscard]] IndexRanges slice(std::uint32_t rank, std::uint32_t count) const;
  /// Each number less `offset`.
  [[nodiscard]] IndexRanges minus(std::uint32_t offset) const;
  [[nodiscard]] std::string text() const;
  [[nodiscard]] const std::vector<Range>& ranges() const { return ranges_; }
  friend bool operator==(const IndexRanges&, const IndexRanges&) = default;

 private:
  std::vector<Range> ranges_;
};

}  // namespace kernmill
