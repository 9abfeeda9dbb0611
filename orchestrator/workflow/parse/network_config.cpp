#include "kernmill/workflow/parse/network_config.hpp"

#include <string>

#include <fmt/format.h>

#include "kernmill/workflow/parse/train_method.hpp"

namespace kernmill {
namespace {

bool is_recurrent(std::string_view model) {
  return model == "lstm" || model == "gru";
}

/// The preprocess stage that makes the data; null where that is not known here.
const StageDraft* preparing(const Draft& draft, const StageDraft& stage) {
  const Field* data = stage.fields.find("data");
  if (data == nullptr || !data->value->is_string()) return nullptr;
  const std::string& text = data->value->text;
  const StageDraft* found = draft.find(text.substr(0, text.find('.')));
  return found != nullptr && found->kind_known && found->stage.kind == TaskKind::preprocess ? found : nullptr;
}

void check_windows(const Draft& draft, const StageDraft& stage, const std::string& type, const Value& model) {
  const StageDraft* data = preparing(draft, stage);
  if (data == nullptr || data->body.find("series") != nullptr) return;
  draft.diagnostics.error(
      model.where, fmt::format("{} reads windows of a series, and '{}' makes none", type, data->stage.name),
      "have it make some: series: {window: 10}, or use an mlp");
}

void check_dropout(const Draft& draft, const Json& train, const Value& model) {
  const Json dropout = train.at("model").value("dropout", Json());
  const std::string optimizer = train.value("optimizer", Json::object()).value("type", "");
  const Value* where = model.find("dropout");
  if (where == nullptr || !dropout.is_number() || dropout.get<double>() == 0) return;
  if (optimizer.empty() || trains_in_batches(train)) return;
  draft.diagnostics.error(where->where, fmt::format("'dropout' does not go with {}", optimizer),
                          "units are dropped anew in each mini-batch: use adam, adamw or sgd");
}

}  // namespace

bool is_network(std::string_view model) {
  return model == "mlp" || is_recurrent(model);
}

void check_network(const Draft& draft, const StageDraft& stage, const Json& train, const Value* model) {
  if (model == nullptr || !train.contains("model") || !train["model"].is_object()) return;
  const std::string type = train["model"].value("type", "");
  if (is_recurrent(type)) check_windows(draft, stage, type, *model);
  if (is_network(type)) check_dropout(draft, train, *model);
}

void finish_network(Json& train) {
  const Json model = train.value("model", Json());
  if (!model.is_object() || !is_network(model.value("type", "")) || !train.contains("optimizer")) return;
  if (trains_in_batches(train) && !train.contains("precision")) train["precision"] = "float32";
}

void check_sums(const Json& train, const Value* precision, const Value* exact, Diagnostics& diagnostics) {
  if (!train.contains("optimizer") || !train["optimizer"].is_object()) return;
  const Json model = train.value("model", Json::object());
  const std::string type = model.is_object() ? model.value("type", "") : "";
  if (precision != nullptr && train.value("precision", "") == "float32" &&
      (!trains_in_batches(train) || (!type.empty() && !is_network(type))))
    diagnostics.error(precision->where, "float32 is for a network that is trained in mini-batches",
                      "leave 'precision' out: a convex model is computed in float64");
  if (exact != nullptr && !train.value("exact", true) && !trains_in_batches(train))
    diagnostics.error(exact->where, "the sums of a full-batch method are always exact",
                      "leave 'exact' out, or use sgd, adam or adamw");
}

void check_balance(const Json& train, const Value* balance, Diagnostics& diagnostics) {
  if (balance == nullptr || train.value("balance", "") != "dynamic") return;
  const Json model = train.value("model", Json::object()), how = train.value("optimizer", Json::object()),
             layout = train.value("parallel", Json::object());
  const std::string type = model.is_object() ? model.value("type", "") : "",
                    method = how.is_object() ? how.value("type", "") : "";
  const auto is_shared = [&](const char* key) {
    return layout.is_object() && layout.contains(key) && layout.at(key) != 1;
  };
  const auto refuse = [&](const std::string& why, const char* help) {
    diagnostics.error(balance->where, why, help);
  };
  if (type == "kmeans" || type == "pca" || type == "kernel_svm")
    refuse(fmt::format("the ranks of a {} always share the rows evenly", type), "leave 'balance' out");
  else if (method == "closed_form" || method == "coordinate_descent")
    refuse(fmt::format("{} goes over the rows once, and cannot learn from it how fast ranks are", method),
           "leave 'balance' out");
  else if (is_shared("tensor") || is_shared("pipeline") || is_shared("slices"))
    refuse("ranks that share the layers of a network have even shares of the rows",
           "leave 'balance' out, or share rows alone: data");
}

}  // namespace kernmill
