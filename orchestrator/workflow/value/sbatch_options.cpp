#include "kernmill/workflow/value/sbatch_options.hpp"

#include <sstream>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace kernmill {
namespace {

class SbatchWords {
 public:
  void take(const std::string& word) {
    if (word.starts_with("--") && word.size() > 2) return take_option(word);
    const bool is_value = value_of_ != Owner::none;
    if (value_of_ == Owner::option) result_.options.back().second = word;
    value_of_ = Owner::none;
    if (is_value) return;
    result_.strays.push_back(word);
    if (word.starts_with('-') && word.find('=') == std::string::npos) value_of_ = Owner::stray;
  }
  /// A text has ended: a value stands in the same text as its option.
  void end() { value_of_ = Owner::none; }
  SbatchOptions result() && { return std::move(result_); }

 private:
  enum class Owner { none, option, stray };

  void take_option(std::string_view word) {
    const std::size_t equals = word.find('=');
    const bool has_value = equals != std::string_view::npos;
    result_.options.emplace_back(word.substr(2, has_value ? equals - 2 : equals),
                                 has_value ? word.substr(equals + 1) : "");
    value_of_ = has_value ? Owner::none : Owner::option;
  }

  SbatchOptions result_;
  Owner value_of_ = Owner::none;  ///< whose value the next word may be
};

}  // namespace

SbatchOptions read_sbatch_options(const std::vector<std::string>& texts) {
  SbatchWords words;
  for (const std::string& text : texts) {
    std::istringstream stream(text);
    for (std::string word; stream >> word;) words.take(word);
    words.end();
  }
  return std::move(words).result();
}

std::vector<std::string> to_words(const SbatchOptions& options) {
  std::vector<std::string> words;
  for (const auto& [name, value] : options.options)
    words.push_back(value.empty() ? fmt::format("--{}", name) : fmt::format("--{}={}", name, value));
  words.insert(words.end(), options.strays.begin(), options.strays.end());
  return words;
}

}  // namespace kernmill
