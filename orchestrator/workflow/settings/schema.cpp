#include "kernmill/workflow/settings/schema.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include "kernmill/workflow/settings/settings.hpp"

namespace kernmill {
namespace {

constexpr std::array all_kinds{TaskKind::preprocess, TaskKind::train,  TaskKind::evaluate,
                               TaskKind::tune,       TaskKind::deploy, TaskKind::command};

constexpr const char* command_search = "tune_with_command";

Json either(std::vector<Json> schemas) {
  return {{"anyOf", std::move(schemas)}};
}

/// A text that holds `${{ }}` may stand for any value.
Json expression() {
  return {{"type", "string"}, {"pattern", "\\$\\{\\{"}};
}

Json scalar() {
  return {{"type", Json::array({"string", "number", "boolean"})}};
}

/// 1.0 is written 1: the schema is for people, too.
Json plain(double number) {
  return number == std::floor(number) ? Json(static_cast<std::int64_t>(number)) : Json(number);
}

Json number(const Setting& setting, const char* type) {
  Json json{{"type", type}};
  const Range& range = setting.range;
  if (std::isfinite(range.low)) json[range.low_open ? "exclusiveMinimum" : "minimum"] = plain(range.low);
  if (std::isfinite(range.high)) json[range.high_open ? "exclusiveMaximum" : "maximum"] = plain(range.high);
  return json;
}

Json text(const Setting& setting) {
  if (setting.choices.empty()) return scalar();
  Json choices = setting.choices;
  for (const std::string& choice : setting.choices)  // as an editor sees them that are no texts
    if (choice == "true" || choice == "false") choices.push_back(choice == "true");
  return {{"enum", std::move(choices)}};
}

Json list_of(Json item) {
  Json list{{"type", "array"}, {"items", either({item, expression()})}};
  return either({std::move(item), std::move(list)});
}

class SchemaBuilder {
 public:
  Json build();

 private:
  /// A map with the settings of some tables, under any of their names.
  Json object_of(const std::vector<const Table*>& tables) {
    Json json{{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
    Json required = Json::array();
    for (const Table* table : tables)
      for (const Setting& setting : table->settings) {
        const Json schema = defined(*table, setting);
        Json keys = Json::array({{{"required", {setting.name}}}});
        json["properties"][setting.name] = schema;
        for (const std::string& alias : setting.aliases) {
          json["properties"][alias] = schema;
          keys.push_back({{"required", {alias}}});
        }
        if (setting.required) required.push_back({{"anyOf", std::move(keys)}});
      }
    if (!required.empty()) json["allOf"] = std::move(required);
    return json;
  }

  Json table_schema(const Table& table) {
    Json object = object_of({&table});
    if (table.shorthand.empty()) return object;
    return either({schema_of(*table.find(table.shorthand)), std::move(object)});
  }

  Json variant_schema(const Variant& variant) {
    Json names = Json::array();
    std::vector<Json> schemas;
    for (const auto& alternative : variant.alternatives) {
      Json object = object_of({&alternative.table});
      object["properties"]["type"] = {{"const", alternative.type}, {"description", alternative.doc}};
      schemas.push_back(std::move(object));
      names.push_back(alternative.type);
    }
    schemas.insert(schemas.begin(), Json{{"enum", std::move(names)}});
    return either(std::move(schemas));
  }

  Json matrix_schema() {
    const Json combinations{{"type", "array"}, {"items", {{"type", "object"}}}};
    const Json values = either({Json{{"type", "array"}, {"minItems", 1}}, expression()});
    Json simple = axis_sources({"glob", "range", "csv"});
    Json zip{{"type", "object"}, {"minProperties", 1}, {"additionalProperties", either({values, simple})}};
    Json sources = axis_sources({"glob", "range", "csv", "from"});
    sources["properties"]["zip"] = zip;
    return {{"type", "object"},
            {"properties",
             {{"include", combinations}, {"exclude", combinations}, {"zip", either({values, zip})}}},
            {"additionalProperties", either({values, std::move(sources)})}};
  }

  /// Of what an axis may be made that is no list.
  Json axis_sources(const std::vector<std::string>& kinds) {
    const Json number_or_expression = either({Json{{"type", "number"}}, expression()});
    const Json numbers{{"type", "array"}, {"items", number_or_expression}, {"minItems", 1}, {"maxItems", 3}};
    Json all{{"glob", list_of({{"type", "string"}})},
             {"range", either({number_or_expression, numbers})},
             {"csv", {{"type", "string"}}},
             {"from", {{"type", "string"}}}};
    Json properties = Json::object();
    for (const std::string& kind : kinds) properties[kind] = all.at(kind);
    properties["columns"] = {{"type", "array"}, {"items", {{"type", "string"}}}, {"minItems", 1}};
    return {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  }

  Json space_schema() {
    const Json ends{{"type", "array"}, {"minItems", 2}, {"maxItems", 2}};
    const Json choices{{"type", "array"}, {"minItems", 1}};
    const Json range{{"type", "object"},
                     {"properties",
                      {{"choice", choices},
                       {"uniform", ends},
                       {"log_uniform", ends},
                       {"int_uniform", ends},
                       {"points", {{"type", "integer"}, {"minimum", 1}}}}},
                     {"additionalProperties", false}};
    return {{"type", "object"}, {"minProperties", 1}, {"additionalProperties", either({choices, range})}};
  }

  Json stage_schema(TaskKind kind, const Table& settings) {
    Json json = object_of({&stage_settings(), &settings, &resource_settings()});
    json["properties"]["task"] = {{"const", to_string(kind)}, {"description", "the kind of task"}};
    if (kind != TaskKind::command) json["required"] = {"task"};
    return json;
  }

  Json stages_schema() {
    std::vector<Json> kinds;
    kinds.reserve(std::size(all_kinds));
    for (const TaskKind kind : all_kinds)
      kinds.push_back({{"$ref", fmt::format("#/definitions/{}", to_string(kind))}});
    kinds.push_back({{"$ref", fmt::format("#/definitions/{}", command_search)}});
    return {{"type", "object"}, {"minProperties", 1}, {"additionalProperties", either(std::move(kinds))}};
  }

  /// What a setting takes, written out.
  Json bare_schema(const Setting& setting) {
    using T = SettingType;
    switch (setting.type) {
      case T::boolean:
        return {{"type", "boolean"}};
      case T::integer:
        return number(setting, "integer");
      case T::number_or_auto:
        return either({Json{{"const", "auto"}}, number(setting, "integer")});
      case T::interval:
        return either({Json{{"type", "string"}}, number(setting, "integer")});
      case T::real:
        return setting.choices.empty() ? number(setting, "number")
                                       : either({text(setting), number(setting, "number")});
      case T::text:
        return text(setting);
      case T::text_list:
        return list_of(setting.table == nullptr ? text(setting) : table_schema(*setting.table));
      case T::integer_list:
        return list_of(number(setting, "integer"));
      case T::real_list:
        return list_of(number(setting, "number"));
      case T::text_map:
        return {{"type", "object"},
                {"additionalProperties",
                 setting.table == nullptr ? scalar() : either({scalar(), table_schema(*setting.table)})}};
      case T::hints:
        return {{"type", "object"}, {"additionalProperties", scalar()}};
      case T::table_map:
        return {{"type", "object"}, {"additionalProperties", table_schema(*setting.table)}};
      case T::table:
        return table_schema(*setting.table);
      case T::variant:
        return variant_schema(*setting.variant);
      case T::reference:
        return {{"type", "string"}};
      case T::references:
        return list_of({{"type", "string"}});
      case T::expression:
        return {{"type", Json::array({"string", "boolean"})}};
      case T::params:
        return {{"type", Json::array({"object", "null"})}};
      case T::matrix:
        return matrix_schema();
      case T::space:
        return space_schema();
      case T::stages:
        return stages_schema();
      default:
        return {{"type", Json::array({"string", "number"})}};
    }
  }

  Json schema_of(const Setting& setting) {
    Json schema = bare_schema(setting);
    using T = SettingType;
    const bool structure = setting.type == T::params || setting.type == T::matrix ||
                           setting.type == T::space || setting.type == T::stages ||
                           setting.type == T::text_map || setting.type == T::hints ||
                           setting.type == T::table_map;
    if (!structure) schema = either({std::move(schema), expression()});
    if (setting.fallback && setting.fallback->is_null())
      schema = either({std::move(schema), {{"type", "null"}}});
    schema["description"] = setting.doc;
    if (setting.fallback && !setting.fallback->is_structured() && !setting.fallback->is_null())
      schema["default"] = *setting.fallback;
    return schema;
  }

  /// A setting is defined once, however many names and stages have it.
  Json defined(const Table& table, const Setting& setting) {
    std::string name;
    for (const char c : table.name + "." + setting.name)
      if (c != '\'') name += c == ' ' ? '_' : c;
    if (!definitions_.contains(name)) {
      definitions_[name] = nullptr;
      definitions_[name] = schema_of(setting);
    }
    return {{"$ref", "#/definitions/" + name}};
  }

  Json definitions_ = Json::object();
};

Json SchemaBuilder::build() {
  definitions_["expression"] = {{"type", "string"}, {"pattern", "\\$\\{\\{"}};
  Json schema{
      {"$schema", "http://json-schema.org/draft-07/schema#"},
      {"title", "Kernmill workflow"},
      {"description", "Made from the tables of settings in orchestrator/workflow; see workflows/README.md"}};
  schema.update(object_of({&workflow_settings()}));
  schema["patternProperties"]["^x-"] = Json::object();
  // What is needed may stand in a file that is included.
  for (Json& needed : schema["allOf"]) needed["anyOf"].push_back({{"required", {"include"}}});
  for (const TaskKind kind : all_kinds)
    definitions_[std::string(to_string(kind))] = stage_schema(kind, task_settings(kind));
  definitions_[command_search] = stage_schema(TaskKind::tune, command_search_settings());
  schema["definitions"] = std::move(definitions_);
  return schema;
}

}  // namespace

Json workflow_schema() {
  return SchemaBuilder().build();
}

}  // namespace kernmill
