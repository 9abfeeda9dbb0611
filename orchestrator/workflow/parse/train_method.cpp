#include "kernmill/workflow/parse/train_method.hpp"

#include <bit>

#include <fmt/format.h>

#include "kernmill/workflow/parse/network_config.hpp"

namespace kernmill {
namespace {

const Value* part(const Value* value, std::string_view name) {
  return value == nullptr ? nullptr : value->find(name);
}

bool is_given(const Value* value) {
  return value != nullptr && !value->is_null();
}

bool is_above_zero(const Json& json, const char* key) {
  return json.contains(key) && json.at(key).is_number() && json.at(key).get<double>() > 0;
}

const Where& place(const Value* value, const Where& otherwise) {
  return value == nullptr ? otherwise : value->where;
}

void check_shards(const Json& train, const MethodChoice& choice, Diagnostics& diagnostics) {
  if (choice.shards == nullptr || !train.contains("shards") || !train.at("shards").is_number_integer())
    return;
  const auto shards = train.at("shards").get<std::uint64_t>();
  if (shards == 0 || std::has_single_bit(shards)) return;
  diagnostics.error(choice.shards->where, fmt::format("'shards' is a power of two, not {}", shards),
                    fmt::format("take {} or {}", std::bit_floor(shards), std::bit_ceil(shards)));
}

}  // namespace

bool trains_in_batches(const Json& train) {
  const Json how = train.value("optimizer", Json::object());
  const std::string type = how.is_object() ? how.value("type", "") : "";
  return type == "sgd" || type == "adam" || type == "adamw";
}

std::string default_method(const std::string& model, const MethodChoice& choice) {
  if (is_network(model)) return "adam";
  const Value* loss = part(choice.model, "loss");
  const std::string kind = loss == nullptr ? "" : loss->text;
  if (model == "linear_svm" && kind == "hinge") return "interior_point";
  if (model == "linear_svr" && kind != "squared_epsilon_insensitive") return "interior_point";
  if (model != "linear_regression" || kind == "huber") return "newton";
  if (is_given(part(choice.model, "l1")) || is_given(part(choice.space, "model.l1")))
    return "coordinate_descent";
  return is_given(part(choice.model, "init")) || is_given(choice.start_from) ? "lbfgs" : "closed_form";
}

void check_method(const Json& train, const MethodChoice& choice, const Where& stage,
                  Diagnostics& diagnostics) {
  check_shards(train, choice, diagnostics);
  const Json model = train.value("model", Json::object()), how = train.value("optimizer", Json::object());
  if (!model.is_object() || !how.is_object()) return;
  const std::string type = model.value("type", ""), method = how.value("type", "");
  if (type.empty() || method.empty()) return;
  const Where& where = place(choice.optimizer, stage);
  if (method == "newton" && is_network(type))
    diagnostics.error(
        where,
        fmt::format("newton is for linear models, and {} is none", type == "gru" ? "a gru" : "an " + type),
        "use adam, or lbfgs over all rows");
  if ((method == "closed_form" || method == "coordinate_descent") && type != "linear_regression")
    diagnostics.error(where, fmt::format("{} is for linear_regression, and not for {}", method, type),
                      "leave 'optimizer' out");
  const std::string loss = model.value("loss", "");
  const bool corners = loss == "hinge" || loss == "epsilon_insensitive";
  if (corners != (method == "interior_point"))
    diagnostics.error(where,
                      corners ? fmt::format("{} cannot follow the loss {}, which has corners", method, loss)
                              : "interior_point is for the losses hinge and epsilon_insensitive",
                      corners ? "leave 'optimizer' out, or take the squared loss" : "leave 'optimizer' out");
  if (loss == "huber" && (method == "closed_form" || method == "coordinate_descent"))
    diagnostics.error(where, fmt::format("{} is for the squared error, and not for huber", method),
                      "leave 'optimizer' out");
  if (is_above_zero(model, "l1") && type == "linear_regression" && method != "coordinate_descent")
    diagnostics.error(where, fmt::format("{} cannot find a model with an l1 penalty", method),
                      "leave 'optimizer' out, or: optimizer: coordinate_descent");
}

}  // namespace kernmill
