#pragma once
#include <string>

#include <nlohmann/json.hpp>

#include "kernmill/storage/dataset/schema.hpp"

namespace kernmill::storage::tool {

using Json = nlohmann::ordered_json;

/// What a schema says, for programs and for people.
Json to_json(const Schema& schema);
std::string to_text(const Schema& schema);

/// A JSON text of the file; a text that is none stays a text.
Json json_of(const std::string& text);

/// Prints a value. Names may hold bytes that are no UTF-8: they become U+FFFD.
void print(const Json& json);

/// A text of a file as a terminal may show it: control characters as "\\n" or "\\x1b".
std::string shown(const std::string& text);

/// "3 rows", "1 row".
std::string counted(std::uint64_t count, const std::string& thing);

/// "12.3 MiB".
std::string bytes_text(std::uint64_t bytes);

}  // namespace kernmill::storage::tool
