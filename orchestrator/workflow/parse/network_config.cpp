#include "kernmill/workflow/parse/network_config.hpp"

#include <string>

#include <fmt/format.h>

#include "kernmill/workflow/parse/train_method.hpp"
#include "kernmill/workflow/settings/settings.hpp"

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

bool has(const Json& settings, const char* key, const Json& value) {
  return settings.contains(key) && settings.at(key) == value;
}

bool is_above(const Json& settings, const char* key, double least) {
  return settings.contains(key) && settings.at(key).is_number() && settings.at(key).get<double>() > least;
}

bool shares_layers(const Json& layout) {
  return is_above(layout, "tensor", 1) || is_above(layout, "pipeline", 1) || is_above(layout, "slices", 1);
}

void check_sums(const std::string& type, const Json& train, const SharingChoice& choice,
                Diagnostics& diagnostics) {
  const bool batches = trains_in_batches(train) && !has_own_method(type);
  const bool is_mixed = has(train, "precision", "mixed");
  const bool is_single = is_mixed || has(train, "precision", "float32");
  if (choice.precision != nullptr && is_single && (!batches || (!type.empty() && !is_network(type))))
    diagnostics.error(choice.precision->where,
                      fmt::format("{} is for a network that is trained in mini-batches",
                                  is_mixed ? "mixed precision" : "float32"),
                      "leave 'precision' out: all else is computed in float64");
  if (choice.exact == nullptr || !has(train, "exact", false) || batches) return;
  const bool own = has_own_method(type);
  diagnostics.error(choice.exact->where,
                    fmt::format("the sums of a {} are always exact", own ? type : "full-batch method"),
                    own ? "leave 'exact' out" : "leave 'exact' out, or use sgd, adam or adamw");
}

void check_layout(const std::string& type, const Json& train, const Value& parallel,
                  Diagnostics& diagnostics) {
  const Json layout = train.value("parallel", Json());
  const bool is_chosen = has(layout, "layout", "auto");
  if (!is_chosen && !shares_layers(layout)) return;
  if (has_own_method(type))
    return diagnostics.error(
        parallel.where, fmt::format("'parallel' shares the layers of a network, and a {} has none", type),
        "leave it out: all of its ranks share the rows");
  if (!trains_in_batches(train))
    diagnostics.error(parallel.where,
                      "'parallel' lays out a training in mini-batches, and this one is of all rows at once",
                      "use the optimizer sgd, adam or adamw, or leave 'parallel' out");
}

void check_balance(const std::string& type, const Json& train, const Value& balance,
                   Diagnostics& diagnostics) {
  if (!has(train, "balance", "dynamic")) return;
  const Json layout = train.value("parallel", Json()), how = train.value("optimizer", Json());
  const auto refuse = [&](const std::string& why, const char* help) {
    diagnostics.error(balance.where, why, help);
  };
  if (has_own_method(type))
    refuse(fmt::format("the ranks of a {} always share the rows evenly", type), "leave 'balance' out");
  for (const char* once : {"closed_form", "coordinate_descent"})
    if (has(how, "type", once))
      refuse(fmt::format("{} goes over the rows once, and cannot learn from it how fast ranks are", once),
             "leave 'balance' out");
  if (shares_layers(layout))
    refuse("ranks that share the layers of a network have even shares of the rows",
           "leave 'balance' out, or share rows alone: data");
}

}  // namespace

bool is_network(std::string_view model) {
  return model == "mlp" || is_recurrent(model);
}

bool has_own_method(std::string_view model) {
  return without_target(model) != nullptr || model == "kernel_svm";
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

void check_sharing(const std::string& type, const Json& train, const SharingChoice& choice,
                   Diagnostics& diagnostics) {
  // Without a method of its own, or an optimizer, it is what a search will find.
  if (!has_own_method(type) && !train.value("optimizer", Json()).is_object()) return;
  check_sums(type, train, choice, diagnostics);
  if (choice.parallel != nullptr) check_layout(type, train, *choice.parallel, diagnostics);
  if (choice.balance != nullptr) check_balance(type, train, *choice.balance, diagnostics);
}

}  // namespace kernmill
