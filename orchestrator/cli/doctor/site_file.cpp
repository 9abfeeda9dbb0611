#include "kernmill/cli/doctor/site_file.hpp"

#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/cli/command.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/file_beside.hpp"
#include "kernmill/workflow/yaml/yaml_reader.hpp"

namespace fs = std::filesystem;

namespace kernmill::cli::doctor {
namespace {

std::optional<Value> parsed(const std::string& text) {
  Diagnostics diagnostics;
  auto value = read_yaml(std::make_shared<const SourceFile>(SourceFile{"site.yaml", text}), diagnostics);
  return diagnostics.has_errors() ? std::nullopt : std::move(value);
}

/// The place in the text that a line and a column, counted in characters, mean.
std::size_t offset_of(const std::string& text, const Where& where) {
  std::size_t at = 0;
  for (std::uint32_t line = 1; line < where.line; ++line) at = text.find('\n', at) + 1;
  const auto is_continued = [&] { return at < text.size() && (text[at] & 0xC0) == 0x80; };
  for (std::uint32_t column = 1; column < where.column && at < text.size(); ++column) {
    ++at;
    while (is_continued()) ++at;
  }
  return at;
}

std::string appended(std::string text, const std::string& transport) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text + transport_line(transport) + '\n';
}

/// `text` changed where its keys say that it has to be; perhaps to something else than was meant.
std::string edited(std::string text, const Value& root, const std::string& transport) {
  const Value* storage = root.find("storage");
  if (storage == nullptr) return appended(std::move(text), transport);
  if (const Value* known = storage->find("transport")) {
    const std::size_t at = offset_of(text, known->where);
    const bool is_quoted = at < text.size() && (text[at] == '"' || text[at] == '\'');
    return text.replace(at, known->text.size() + (is_quoted ? 2 : 0), transport);
  }
  const std::size_t at = offset_of(text, storage->where);
  if (text.compare(at, 2, "{}") == 0) return text.insert(at + 1, "transport: " + transport);
  if (text.compare(at, 1, "{") == 0) return text.insert(at + 1, fmt::format("transport: {}, ", transport));
  const std::size_t line = text.rfind('\n', at) + 1;  // of its first key
  return text.insert(at, fmt::format("transport: {}\n{}", transport, text.substr(line, at - line)));
}

Json with_it(Json json, const std::string& transport) {
  if (!json.is_object()) json = Json::object();
  if (!json["storage"].is_object()) json["storage"] = Json::object();
  json["storage"]["transport"] = transport;
  return json;
}

/// Whether two texts mean the same, in whatever order.
bool means_the_same(const Json& one, const Json& other) {
  return nlohmann::json(one) == nlohmann::json(other);
}

std::string by_hand(const std::string& transport) {
  return "put this line there: " + transport_line(transport);
}

[[noreturn]] void cannot_write(const fs::path& file, const std::string& why, const std::string& transport) {
  throw UsageError(fmt::format("cannot write {}: {}", file.string(), why),
                   by_hand(transport) + "; or into a file that KERNMILL_SITE names");
}

}  // namespace

std::string transport_line(const std::string& transport) {
  return fmt::format("storage: {{transport: {}}}", transport);
}

std::string with_transport(const std::string& text, const std::string& transport) {
  const auto before = parsed(text);
  if (!before)
    throw UsageError("the site file has mistakes: kernmill validate tells them", by_hand(transport));
  std::string changed = edited(text, *before, transport);
  const auto after = parsed(changed);
  if (!after || !means_the_same(to_json(*after), with_it(to_json(*before), transport)))
    throw UsageError("the site file is written in a way that cannot be edited here", by_hand(transport));
  return changed;
}

fs::path write_transport(const fs::path& named, const std::string& transport) {
  try {
    std::error_code none;
    fs::path file = fs::exists(named, none) ? fs::canonical(named) : fs::absolute(named);
    struct stat known {};
    const bool is_there = ::stat(file.c_str(), &known) == 0;
    if (is_there && !S_ISREG(known.st_mode)) cannot_write(named, "it is no regular file", transport);
    const std::string text = with_transport(is_there ? read_file(file) : std::string(), transport);
    constexpr mode_t for_all_to_read = 0644, for_all_to_enter = 0755;
    if (!fs::is_directory(file.parent_path(), none)) make_directories(file.parent_path(), for_all_to_enter);
    FileBeside written(file, is_there ? known.st_mode & 07777 : for_all_to_read);
    written.write(text);
    written.sync();
    written.take_place();
    sync_directory(file.parent_path());
    return file;
  } catch (const std::system_error& error) {
    cannot_write(named, error.code().message(), transport);
  }
}

}  // namespace kernmill::cli::doctor
