#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernmill/workflow/settings/settings.hpp"
#include "kernmill/workflow/text/diagnostic.hpp"

namespace kernmill {

/// A setting that the user gave.
struct Field {
  const Setting* setting = nullptr;
  const Value* value = nullptr;
  Where key_where;
  std::string key;  ///< as the user wrote it: the name or an alias
};

/// The settings of one map, by canonical name; in the order of the file.
struct Fields {
  std::vector<Field> known;
  std::vector<std::string> unknown;  ///< keys that were reported
  [[nodiscard]] const Field* find(std::string_view name) const;
};

/// Says more about a key that is in none of the tables; empty when it has nothing to say.
using UnknownKeyHelp = std::function<std::string(const std::string& key)>;

/// Checks maps against tables of settings. Every mistake becomes one diagnostic; what is broken is left out
/// of the result.
class SettingsReader {
 public:
  /// A value that holds `${{ matrix.X }}` is checked with each value of that axis of `matrix`.
  explicit SettingsReader(Diagnostics& diagnostics, const Matrix* matrix = nullptr)
      : diagnostics_(&diagnostics), matrix_(matrix) {}

  bool fill_in_defaults = true;
  std::size_t* axis_checks = nullptr;  ///< counts the values of axes that settings are checked with
  /// The `type` of a variant that is given without one, by the variant's setting.
  std::map<std::string, std::string, std::less<>> default_types;

  /// The entries of `map`, by table; unknown keys and aliases that disagree are diagnostics.
  Fields collect(const Value& map, const std::vector<const Table*>& tables, const std::string& owner,
                 const UnknownKeyHelp& help = {});

  /// The values of the table's settings. `owner` is where a required one is missed. References and other
  /// settings that are not values of the config are left out.
  Json read(const Table& table, const Fields& fields, const Where& owner);

  /// The canonical form of a value, or nothing when it is wrong (reported). `name` is how messages call it.
  std::optional<Json> convert(const Setting& setting, const Value& value, const std::string& name);
  std::optional<Json> convert(const Setting& setting, const Value& value) {
    return convert(setting, value, "'" + setting.name + "'");
  }

 private:
  std::optional<Json> wrong_type(const Value& value, const std::string& name, std::string_view wanted);
  std::optional<Json> boolean(const Value& value, const std::string& name);
  std::optional<Json> integer(const Setting& setting, const Value& value, const std::string& name);
  std::optional<Json> real(const Setting& setting, const Value& value, const std::string& name);
  std::optional<Json> text(const Setting& setting, const Value& value, const std::string& name);
  std::optional<Json> period(const Value& value, const std::string& name, std::string_view wanted);
  std::optional<Json> unit(const Setting& setting, const Value& value, const std::string& name);
  std::optional<Json> list(const Setting& setting, const Value& value, const std::string& name);
  std::optional<Json> text_map(const Setting& setting, const Value& value, const std::string& name);
  std::optional<Json> hints(const Value& value, const std::string& name);
  std::optional<Json> env_source_of(const Setting& setting, const Value::Entry& entry);
  std::optional<Json> table_map(const Setting& setting, const Value& value, const std::string& name);
  std::optional<Json> table(const Setting& setting, const Value& value, const std::string& name);
  std::optional<Json> variant(const Setting& setting, const Value& value, const std::string& name);
  const Variant::Alternative* alternative(const Setting& setting, const Value& value, bool& type_given);
  std::optional<Json> templated(const Setting& setting, const Value& value, const std::string& name);
  bool in_range(const Setting& setting, double number, const Value& value, const std::string& name);
  void fall_back(const Setting& setting, const Fields& fields, const Table& table, const Where& owner,
                 Json& result);

  Diagnostics* diagnostics_;
  const Matrix* matrix_;
};

/// "a, b or c"
std::string one_of(const std::vector<std::string>& words);
/// Names and aliases of every setting of the tables.
std::vector<std::string> keys_of(const std::vector<const Table*>& tables);

}  // namespace kernmill
