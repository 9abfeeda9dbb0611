#include "kernmill/tasks/data/prepare/order_statistics.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace kernmill::tasks {
namespace {

constexpr unsigned radix_bits = 11;
constexpr std::size_t digits = std::size_t{1} << radix_bits;
constexpr std::size_t at_a_time = 2048;  // histograms of 16 KiB: bounds the memory

/// Unsigned integers in the order of the numbers.
std::uint64_t key_of(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  constexpr std::uint64_t sign = std::uint64_t{1} << 63U;
  return (bits & sign) != 0 ? ~bits : bits | sign;
}

double value_of(std::uint64_t key) {
  constexpr std::uint64_t sign = std::uint64_t{1} << 63U;
  return std::bit_cast<double>((key & sign) != 0 ? key & ~sign : ~key);
}

/// The number with so many below it, as far as it is known: its highest bits.
struct Search {
  std::size_t column;
  double fill;
  std::uint64_t rank;  ///< among the numbers with these highest bits
  std::uint64_t prefix = 0;
};

/// One digit more of every search. `shift` is where the digit begins, `width` how many bits it has.
void narrow(const Communicator& comm, const EachRow& rows, std::span<Search> searches, unsigned shift,
            unsigned width) {
  std::vector<std::uint64_t> counts(searches.size() * digits, 0);
  const unsigned known = shift + width;  // bits below this are not known yet
  rows([&](const double* row) {
    for (std::size_t i = 0; i < searches.size(); ++i) {
      const double number = row[searches[i].column];
      const double x = std::isnan(number) ? searches[i].fill : number;
      if (std::isnan(x)) continue;
      const std::uint64_t key = key_of(x);
      if (known < 64 && key >> known != searches[i].prefix) continue;
      ++counts[i * digits + (key >> shift & ((std::uint64_t{1} << width) - 1))];
    }
  });
  comm.allreduce(std::span(counts), Reduction::sum);
  for (std::size_t i = 0; i < searches.size(); ++i) {
    std::size_t digit = 0;
    for (const auto* count = &counts[i * digits]; digit + 1 < digits && searches[i].rank >= count[digit];
         ++digit)
      searches[i].rank -= count[digit];
    searches[i].prefix = searches[i].prefix << width | digit;
  }
}

void find(const Communicator& comm, const EachRow& rows, std::span<Search> searches) {
  for (unsigned left = 64; left > 0;) {
    const unsigned width = std::min(left, radix_bits);
    left -= width;
    narrow(comm, rows, searches, left, width);
  }
}

double interpolated(double a, double b, double t) {  // as numpy does, so that the last bits agree, too
  return t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t;
}

}  // namespace

std::vector<double> quantiles(const Communicator& comm, const EachRow& rows,
                              std::span<const Quantile> wanted) {
  std::vector<Search> searches;
  for (const Quantile& quantile : wanted) {
    const double at = quantile.q * static_cast<double>(quantile.count - 1);
    const auto below = static_cast<std::uint64_t>(std::floor(at));
    searches.push_back({quantile.column, quantile.fill, below});
    searches.push_back({quantile.column, quantile.fill, std::min(below + 1, quantile.count - 1)});
  }
  for (std::size_t i = 0; i < searches.size(); i += at_a_time)
    find(comm, rows, std::span(searches).subspan(i, std::min(at_a_time, searches.size() - i)));
  std::vector<double> values;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double at = wanted[i].q * static_cast<double>(wanted[i].count - 1);
    const double a = value_of(searches[2 * i].prefix), b = value_of(searches[2 * i + 1].prefix);
    values.push_back(interpolated(a, b, at - std::floor(at)));
  }
  return values;
}

}  // namespace kernmill::tasks
