#include "kernmill/tasks/data/prepare/categories.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <unordered_map>

#include <fmt/format.h>

#include "kernmill/tasks/data/read/packed_texts.hpp"

namespace kernmill::tasks {
namespace {

bool is_shorter(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

/// All ranks' texts, in any spelling, without order.
std::vector<std::string> gathered_texts(const Communicator& comm, const Dictionary& column) {
  std::vector<std::string> own = column.texts();
  own.insert(own.end(), column.spellings().begin(), column.spellings().end());
  const std::string packed = packed_texts(own);
  const auto gathered = comm.allgatherv(std::span<const char>(packed));
  return unpacked_texts({gathered.data(), gathered.size()});
}

}  // namespace

Categories distinct_categories(const Communicator& comm, const Dictionary& column) {
  std::map<std::string, std::vector<std::string>> spellings;  // by key
  for (auto& text : gathered_texts(comm, column)) {
    auto& alike = spellings[name_key(text)];
    if (std::find(alike.begin(), alike.end(), text) == alike.end()) alike.push_back(std::move(text));
  }
  Categories categories;
  for (auto& [key, alike] : spellings) {
    std::sort(alike.begin(), alike.end(), is_shorter);
    categories.texts.push_back(alike.front());
    for (std::size_t i = 1; i < alike.size(); ++i) categories.respelled.emplace_back(alike[i], alike.front());
  }
  std::sort(categories.texts.begin(), categories.texts.end());
  return categories;
}

std::vector<double> places_in(const Categories& categories, const Dictionary& column) {
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < categories.texts.size(); ++i) places.emplace(name_key(categories.texts[i]), i);
  std::vector<double> found;
  for (const auto& text : column.texts()) found.push_back(static_cast<double>(places.at(name_key(text))));
  return found;
}

std::string note_of_spellings(const Categories& categories, const std::string& column) {
  if (categories.respelled.empty()) return "";
  const auto& [other, taken_for] = categories.respelled.front();
  const std::size_t more = categories.respelled.size() - 1;
  return fmt::format("'{}' in column '{}' is taken for '{}': they are one number{}", other, column, taken_for,
                     more == 0 ? "" : fmt::format(" ({} more such spellings)", more));
}

}  // namespace kernmill::tasks
