#include "rivals.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

namespace kernmill::tasks {

std::uint64_t number_argument(int argc, char** argv, int place, std::uint64_t otherwise) {
  if (argc <= place) return otherwise;
  const std::string_view text = argv[place];
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size() && number > 0) return number;
  fmt::print(stderr, "'{}' is no number above 0\n", text);
  std::exit(2);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double fastest(const std::vector<double>& seconds) {
  return *std::min_element(seconds.begin(), seconds.end());
}

std::size_t Rivals::add(std::string name, std::function<double()> seconds, std::optional<Goal> goal) {
  rivals_.push_back({std::move(name), std::move(seconds), goal, {}});
  return rivals_.size() - 1;
}

void Rivals::race(int rounds) {
  for (Rival& rival : rivals_) (void)rival.seconds();
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < rivals_.size(); ++i) {
      Rival& rival = rivals_[(i + static_cast<std::size_t>(round)) % rivals_.size()];
      rival.rounds.push_back(rival.seconds());
    }
}

void Rivals::print(const std::string& title) const {
  if (!comm_.is_root()) return;
  fmt::print("\n{}, {} ranks, {} rounds\n  {:38} {:>12} {:>12}   speed beside others: median, fastest\n",
             title, comm_.size(), rivals_.front().rounds.size(), "", "median", "fastest");
  for (const Rival& rival : rivals_) print(rival);
  std::fflush(stdout);
}

void Rivals::print(const Rival& rival) const {
  fmt::print("  {:38} {:9.3f} ms {:9.3f} ms", rival.name, 1e3 * median(rival.rounds),
             1e3 * fastest(rival.rounds));
  if (rival.goal) {
    const Rival& other = rivals_[rival.goal->rival];
    std::vector<double> ratios;
    for (std::size_t i = 0; i < rival.rounds.size(); ++i) ratios.push_back(other.rounds[i] / rival.rounds[i]);
    fmt::print("   {:.2f} {:.2f} of {}", median(ratios), fastest(other.rounds) / fastest(rival.rounds),
               other.name);
    if (rival.goal->speed > 0) fmt::print(" (goal {:.1f})", rival.goal->speed);
  }
  fmt::print("\n");
}

}  // namespace kernmill::tasks
