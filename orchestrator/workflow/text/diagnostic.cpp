#include "kernmill/workflow/text/diagnostic.hpp"

#include <algorithm>
#include <tuple>

#include "kernmill/workflow/text/limits.hpp"

namespace kernmill {
namespace {

auto sort_key(const Diagnostic& d) {
  static const std::string nowhere;
  return std::tuple(d.where.file ? std::string_view(d.where.file->path) : std::string_view(nowhere),
                    d.where.line, d.where.column, std::string_view(d.message));
}

/// The beginning and the end of a long text.
std::string shortened(std::string text) {
  if (text.size() <= limits::message_bytes) return text;
  const auto inside = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U; };
  std::size_t front = limits::message_bytes * 3 / 4, back = text.size() - limits::message_bytes / 4;
  while (front > 0 && inside(front)) --front;
  while (back < text.size() && inside(back)) ++back;
  return text.substr(0, front) + " ... " + text.substr(back);
}

}  // namespace

void Diagnostics::add(Diagnostic diagnostic) {
  const bool is_error = diagnostic.severity == Diagnostic::Severity::error;
  if (list_.size() >= most_ && is_error) throw TooManyMistakes{};
  if (list_.size() < most_) list_.push_back(std::move(diagnostic));
}

void Diagnostics::error(Where where, std::string message, std::string help) {
  add({Diagnostic::Severity::error, std::move(where), shortened(std::move(message)),
       shortened(std::move(help))});
}

void Diagnostics::warning(Where where, std::string message, std::string help) {
  add({Diagnostic::Severity::warning, std::move(where), shortened(std::move(message)),
       shortened(std::move(help))});
}

Diagnostics Diagnostics::fresh() const {
  Diagnostics other;
  if (most_ != std::string::npos) other.most_ = most_ - std::min(most_, list_.size());
  return other;
}

void Diagnostics::add(const Diagnostics& more) {
  for (const Diagnostic& diagnostic : more.list_) add(diagnostic);
}

bool Diagnostics::has_errors() const {
  return std::any_of(list_.begin(), list_.end(),
                     [](const Diagnostic& d) { return d.severity == Diagnostic::Severity::error; });
}

void Diagnostics::sort() {
  std::stable_sort(list_.begin(), list_.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return sort_key(a) < sort_key(b); });
  const auto same = [](const Diagnostic& a, const Diagnostic& b) { return sort_key(a) == sort_key(b); };
  list_.erase(std::unique(list_.begin(), list_.end(), same), list_.end());
}

}  // namespace kernmill
