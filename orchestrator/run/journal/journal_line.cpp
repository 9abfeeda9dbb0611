#include "kernmill/run/journal/journal_line.hpp"

#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "kernmill/base/checksum.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void damaged(const fs::path& file, std::size_t line, const std::string& why) {
  throw std::runtime_error(fmt::format(
      "{}:{}: the journal is damaged here: {}; what it said is lost: without the line, the instance "
      "that it speaks of runs again",
      file.string(), line, why));
}

template <typename T>
T value_of(simdjson::simdjson_result<T> result, std::string_view key) {
  T value{};
  if (const auto error = std::move(result).get(value); error != simdjson::SUCCESS)
    throw std::invalid_argument(
        fmt::format("'{}' {}", key, error == simdjson::NO_SUCH_FIELD ? "is missing" : "is of another type"));
  return value;
}

constexpr std::string_view checksum_key = ",\"crc\":\"";
constexpr std::size_t checksum_length = 8 + 2;  // eight digits, a quote and a brace

/// Whether the line is as it was written. Those of earlier versions, and of the SPANK plug-in, have no
/// checksum.
bool is_as_written(std::string_view line) {
  const std::size_t tail = checksum_key.size() + checksum_length;
  if (line.size() <= tail) return true;
  const std::size_t at = line.size() - tail;
  if (line.substr(at, checksum_key.size()) != checksum_key) return true;
  return line.substr(at + checksum_key.size()) == checksum(line.substr(0, at)) + "\"}";
}

}  // namespace

std::string with_checksum(std::string line) {
  line.pop_back();  // the brace at its end
  return fmt::format("{}{}{}\"}}", line, checksum_key, checksum(line));
}

/// The object of a line, its fields listed: each is asked for several times.
struct JournalLine::Values {
  simdjson::dom::object object;
  std::vector<simdjson::dom::key_value_pair> fields;

  void list_fields() {
    fields.clear();
    for (const auto field : object) fields.push_back(field);
  }
  [[nodiscard]] simdjson::simdjson_result<simdjson::dom::element> operator[](std::string_view key) const {
    for (const auto& field : fields)
      if (field.key == key) return simdjson::dom::element(field.value);
    return simdjson::NO_SUCH_FIELD;
  }
};

bool JournalLine::has(std::string_view key) const {
  return (*values_)[key].error() == simdjson::SUCCESS;
}

std::string_view JournalLine::text(std::string_view key) const {
  return value_of((*values_)[key].get_string(), key);
}

std::string_view JournalLine::text(std::string_view key, std::string_view fallback) const {
  return has(key) ? text(key) : fallback;
}

std::uint64_t JournalLine::number(std::string_view key) const {
  return value_of((*values_)[key].get_uint64(), key);
}

std::int64_t JournalLine::number(std::string_view key, std::int64_t fallback) const {
  return has(key) ? value_of((*values_)[key].get_int64(), key) : fallback;
}

double JournalLine::real(std::string_view key, double fallback) const {
  return has(key) ? value_of((*values_)[key].get_double(), key) : fallback;
}

bool JournalLine::flag(std::string_view key, bool fallback) const {
  return has(key) ? value_of((*values_)[key].get_bool(), key) : fallback;
}

Json JournalLine::json(std::string_view key) const {
  const auto value = value_of((*values_)[key], key);
  // Most commits leave neither metrics nor artifacts.
  if (value.is_object() && simdjson::dom::object(value).size() == 0) return Json::object();
  if (value.is_array() && simdjson::dom::array(value).size() == 0) return Json::array();
  return Json::parse(simdjson::minify(value));
}

unsigned JournalLine::small_number(std::string_view key) const {
  const std::uint64_t value = number(key);
  if (value >= std::numeric_limits<unsigned>::max())
    throw std::invalid_argument(fmt::format("'{}' is {}, which is no such number", key, value));
  return static_cast<unsigned>(value);
}

std::string JournalLine::metrics_text(std::string_view key) const {
  if (!has(key)) return {};
  const simdjson::dom::object metrics = value_of((*values_)[key].get_object(), key);
  return metrics.size() == 0 ? std::string() : simdjson::minify(metrics);
}

std::string JournalLine::artifacts_text(std::string_view key) const {
  if (!has(key)) return {};
  const simdjson::dom::array artifacts = value_of((*values_)[key].get_array(), key);
  for (const simdjson::dom::element artifact : artifacts) {
    for (const char* text : {"name", "path", "sha256"}) value_of(artifact[text].get_string(), text);
    value_of(artifact["bytes"].get_uint64(), "bytes");
    if (artifact["temp"].error() == simdjson::SUCCESS) value_of(artifact["temp"].get_bool(), "temp");
  }
  return artifacts.size() == 0 ? std::string() : simdjson::minify(artifacts);
}

Json JournalLine::json() const {
  return Json::parse(simdjson::minify(values_->object));
}

/// Walks over the text of a file.
class JournalLines {
 public:
  JournalLines(std::string text, const fs::path& file, std::size_t before)
      : file_(file), text_(std::move(text)), size_(text_.size()), number_(before) {
    text_.resize(size_ + simdjson::SIMDJSON_PADDING);  // the parser looks at some bytes behind a line
  }

  std::size_t walk(const std::function<void(const JournalLine&)>& take) {
    for (std::size_t begin = 0; begin < size_;) {
      const std::size_t end = text_.find('\n', begin);
      if (end == std::string::npos) break;  // torn: its writer died in the middle of it
      ++number_;
      visit({text_.data() + begin, end - begin}, take);
      begin = end + 1;
    }
    return number_;
  }

 private:
  void visit(std::string_view line, const std::function<void(const JournalLine&)>& take) {
    if (!is_as_written(line)) damaged(file_, number_, "this line is not as it was written");
    const auto document = parser_.parse(line.data(), line.size(), /*realloc_if_needed=*/false);
    const JournalLine record(values_, file_, number_);
    const bool is_object = document.get_object().get(values_.object) == simdjson::SUCCESS;
    if (is_object) values_.list_fields();
    if (!is_object || !record.has("event")) damaged(file_, number_, "this line is no record");
    try {
      if (record.number("v", 0) > 1)
        throw std::runtime_error(fmt::format("{}:{}: a newer Kernmill wrote this; read it with that one",
                                             file_.string(), number_));
      take(record);
    } catch (const std::invalid_argument& error) {
      damaged(file_, number_, error.what());
    } catch (const Json::exception& error) {
      damaged(file_, number_, plain_words(error));
    }
  }

  const fs::path& file_;
  std::string text_;
  std::size_t size_;
  std::size_t number_;
  simdjson::dom::parser parser_;
  JournalLine::Values values_;
};

std::size_t for_each_line(std::string lines, const fs::path& file,
                          const std::function<void(const JournalLine&)>& take, std::size_t before) {
  return JournalLines(std::move(lines), file, before).walk(take);
}

}  // namespace kernmill
