#include "kernmill/workflow/settings/settings.hpp"

// What train and tune have in common: the model, the optimizer, the checkpoints.

namespace kernmill {
namespace {

using T = SettingType;

const Table& init_table() {
  static const Table table{
      "'init'",
      {{.name = "weights", .type = T::real_list, .doc = "one for each feature", .required = true},
       {.name = "bias", .type = T::real, .doc = "the constant term", .fallback = 0.0}}};
  return table;
}

Setting l2(double fallback, std::string doc) {
  return {.name = "l2", .type = T::real, .doc = std::move(doc), .fallback = fallback, .range = not_negative};
}

Setting regularize_bias(bool fallback) {
  return {.name = "regularize_bias",
          .type = T::boolean,
          .doc = "the penalty includes the bias",
          .fallback = fallback};
}

std::vector<Setting> kmeans_settings() {
  return {
      {.name = "k", .type = T::integer, .doc = "clusters", .required = true, .range = at_least_one},
      {.name = "init",
       .type = T::text,
       .doc = "where centers begin: `parallel` is k-means||, in a few passes over the rows; `plus_plus` is "
              "k-means++, a pass a center",
       .fallback = "parallel",
       .choices = {"parallel", "plus_plus"}},
      {.name = "restarts",
       .type = T::integer,
       .doc = "starts, of which the best clusters are kept",
       .fallback = 1,
       .range = at_least_one},
      {.name = "max_iterations",
       .type = T::integer,
       .doc = "iterations of Lloyd's method at most, of each start",
       .fallback = 300,
       .range = at_least_one},
      {.name = "tolerance",
       .type = T::real,
       .doc = "ends when the centers' summed squared moves are at most this times the mean variance of a "
              "feature; 0: when they rest",
       .fallback = 1e-4,
       .range = not_negative},
      {.name = "batch_size",
       .type = T::integer,
       .doc = "rows of a mini-batch, after each of which centers move",
       .fallback_doc = "none: all rows",
       .range = at_least_one},
      {.name = "epochs",
       .type = T::integer,
       .doc = "`batch_size`: passes over the rows, of each start",
       .fallback = 10,
       .range = at_least_one}};
}

std::vector<Setting> pca_settings() {
  return {{.name = "components",
           .type = T::real,
           .doc = "how many; below 1: as many as explain more than that share of the variance",
           .fallback = 0.95,
           .range = positive},
          {.name = "method",
           .type = T::text,
           .doc = "`covariance`: all of it; `randomized`: a few components of many features",
           .fallback = "covariance",
           .choices = {"covariance", "randomized"}},
          {.name = "power_iterations",
           .type = T::integer,
           .doc = "`randomized`: passes that turn the subspace to the largest variances",
           .fallback = 4,
           .range = not_negative},
          {.name = "oversampling",
           .type = T::integer,
           .doc = "`randomized`: directions beside those that are wanted",
           .fallback = 10,
           .range = not_negative},
          {.name = "whiten",
           .type = T::boolean,
           .doc = "a deploy stage's components have a variance of 1 each",
           .fallback = false}};
}

std::vector<Setting> kernel_svm_settings() {
  return {{.name = "kernel",
           .type = T::text,
           .doc = "of rows x and y: `rbf` exp(-gamma |x - y|^2), `polynomial` (gamma x.y + coef0)^degree, "
                  "`linear` x.y",
           .fallback = "rbf",
           .choices = {"rbf", "polynomial", "linear"}},
          {.name = "gamma",
           .type = T::real,
           .doc = "`scale`: 1 / (features * their variance), `auto`: 1 / features, or a number",
           .fallback = "scale",
           .choices = {"scale", "auto"},
           .range = positive},
          {.name = "degree",
           .type = T::integer,
           .doc = "of the polynomial kernel",
           .fallback = 3,
           .range = at_least_one},
          {.name = "coef0", .type = T::real, .doc = "of the polynomial kernel", .fallback = 0.0},
          {.name = "C", .type = T::real, .doc = "weight of the loss", .fallback = 1.0, .range = positive},
          {.name = "tolerance",
           .type = T::real,
           .doc = "by how much two rows may violate the optimality conditions at the end; with "
                  "`random_features` the relative norm of the gradient",
           .fallback = 1e-4,
           .range = positive},
          {.name = "random_features",
           .type = T::integer,
           .doc = "for more rows than kernels can be computed of: so many random Fourier features, keyed by "
                  "`seed`, approximate the rbf kernel, and the squared hinge loss is minimised one versus "
                  "rest, as by linear_svm",
           .fallback_doc = "none",
           .range = {.low = 2}}};
}

Setting dropout(std::string doc) {
  return {.name = "dropout",
          .type = T::real,
          .doc = std::move(doc),
          .fallback = 0.0,
          .range = {.low = 0, .high = 1, .high_open = true}};
}

/// Of a network that predicts numbers.
std::vector<Setting> losses_of_numbers() {
  return {{.name = "loss",
           .type = T::text,
           .doc = "of a numeric target: squared, or beyond `delta` linear",
           .fallback = "squared_error",
           .choices = {"squared_error", "huber"}},
          {.name = "delta",
           .type = T::real,
           .doc = "`loss: huber`: the error from which on it is linear",
           .fallback = 1.0,
           .range = positive}};
}

std::vector<Setting> mlp_settings() {
  std::vector<Setting> settings{
      {.name = "hidden",
       .type = T::integer_list,
       .doc = "units of each hidden layer",
       .fallback = Json::array({100}),
       .range = at_least_one},
      {.name = "activation",
       .type = T::text,
       .doc = "of the hidden layers",
       .fallback = "relu",
       .choices = {"relu", "tanh", "gelu"}},
      {.name = "layer_norm",
       .type = T::boolean,
       .doc = "normalises the units of each hidden layer, between its weights and its activation",
       .fallback = false},
      dropout("the share of the hidden units that a training step does without"),
      l2(1e-4, "weight of the penalty")};
  for (Setting& loss : losses_of_numbers()) settings.push_back(std::move(loss));
  return settings;
}

/// Of lstm and gru.
std::vector<Setting> recurrent_settings() {
  std::vector<Setting> settings{
      {.name = "hidden",
       .type = T::integer,
       .doc = "units of the state",
       .fallback = 16,
       .range = at_least_one},
      {.name = "layers",
       .type = T::integer,
       .doc = "one over the states of the other",
       .fallback = 1,
       .range = {.low = 1, .high = 64}},
      dropout("the share of what a layer gives on that a training step does without"),
      l2(0.0, "weight of the penalty")};
  for (Setting& loss : losses_of_numbers()) settings.push_back(std::move(loss));
  return settings;
}

const Variant& model_variant() {
  static const Variant variant{
      "'model'",
      {{"softmax",
        "multinomial logistic regression: sum of cross-entropies + l2/2 ||W||^2",
        {"a softmax model",
         {l2(1.0,
             "weight of the penalty; scikit-learn's LogisticRegression(C) has 1/C of three classes and more, "
             "and 2/C of two"),
          regularize_bias(false)}}},
       {"logistic",
        "logistic regression of two classes, one weight vector: sum log(1 + exp(-y f)) + l2/2 ||w||^2",
        {"a logistic model",
         {l2(1.0, "weight of the penalty; scikit-learn's LogisticRegression(C) has 1/C"),
          regularize_bias(false)}}},
       {"linear_svm",
        "one-versus-rest: 1/2 ||w||^2 + C sum loss",
        {"a linear_svm model",
         {{.name = "C", .type = T::real, .doc = "weight of the loss", .fallback = 1.0, .range = positive},
          {.name = "loss",
           .type = T::text,
           .doc = "the loss of a row",
           .fallback = "squared_hinge",
           .choices = {"squared_hinge", "hinge"}},
          regularize_bias(true)}}},
       {"linear_regression",
        "mean squared error + l2 ||w||^2 + l1 |w|: least squares, ridge, lasso, elastic net",
        {"a linear_regression model",
         {l2(0.0,
             "weight of the penalty; for one target scikit-learn's Ridge(alpha) has l2 * rows, "
             "ElasticNet(alpha, l1_ratio) alpha * (1 - l1_ratio)"),
          {.name = "loss",
           .type = T::text,
           .doc = "the loss of a row; `huber`: error^2 / 2 up to `delta`, then delta (|error| - delta / 2)",
           .fallback = "squared_error",
           .choices = {"squared_error", "huber"}},
          {.name = "delta",
           .type = T::real,
           .doc = "`huber`: errors beyond it count by their size, not by its square",
           .fallback = 1.35,
           .range = positive},
          {.name = "l1",
           .type = T::real,
           .doc = "weight of the penalty that sets weights to zero; scikit-learn's Lasso(alpha) has l1 / 2, "
                  "and l1 is 2 * alpha * l1_ratio of an ElasticNet",
           .fallback = 0.0,
           .range = not_negative},
          regularize_bias(false),
          {.name = "init",
           .type = T::table,
           .doc = "the weights to start from; absent: zeros",
           .fallback = Json(nullptr),
           .table = &init_table()}}}},
       {"linear_svr",
        "linear support vector regression: 1/2 ||w||^2 + C sum loss of the error beyond epsilon",
        {"a linear_svr model",
         {{.name = "C", .type = T::real, .doc = "weight of the loss", .fallback = 1.0, .range = positive},
          {.name = "epsilon",
           .type = T::real,
           .doc = "errors of no more than this cost nothing",
           .fallback = 0.1,
           .range = not_negative},
          {.name = "loss",
           .type = T::text,
           .doc = "the loss of a row",
           .fallback = "epsilon_insensitive",
           .choices = {"epsilon_insensitive", "squared_epsilon_insensitive"}},
          regularize_bias(true)}}},
       {"mlp",
        "a neural network; cross-entropy for a class target, else mean squared error",
        {"an mlp model", mlp_settings()}},
       {"lstm",
        "a recurrent network over the windows of a series: a long short-term memory",
        {"an lstm model", recurrent_settings()}},
       {"gru", "the same with gated recurrent units", {"a gru model", recurrent_settings()}},
       {"kmeans",
        "k-means clusters; no target is looked at, and there is no optimizer",
        {"a kmeans model", kmeans_settings()}},
       {"pca",
        "principal components; no target is looked at, and there is no optimizer",
        {"a pca model", pca_settings()}},
       {"kernel_svm",
        "a support vector machine with a kernel: one against one, 1/2 ||w||^2 + C sum hinge loss",
        {"a kernel_svm model", kernel_svm_settings()}}}};
  return variant;
}

Setting epochs() {
  return {.name = "epochs",
          .type = T::integer,
          .doc = "passes over the training rows",
          .fallback = 20,
          .range = at_least_one};
}
Setting batch_size() {
  return {.name = "batch_size",
          .type = T::integer,
          .doc =
              "rows in one step, over all ranks together; at most 16 ranks work on a step, with at least 8 "
              "rows each (32 for a network of more than 32,768 parameters)",
          .fallback = 32,
          .range = at_least_one};
}
Setting shuffle() {
  return {
      .name = "shuffle",
      .type = T::text,
      .doc =
          "an epoch's order: `full` over all rows; `block` by blocks of neighbours, and within windows of "
          "them, for data larger than memory; `auto` is block above 4 GiB",
      .fallback = "auto",
      .choices = {"auto", "full", "block"}};
}
Setting learning_rate(double fallback) {
  return {
      .name = "learning_rate", .type = T::real, .doc = "step size", .fallback = fallback, .range = positive};
}
Setting decay(std::string name, double fallback, std::string doc) {
  return {.name = std::move(name),
          .type = T::real,
          .doc = std::move(doc),
          .fallback = fallback,
          .range = fraction};
}

Setting rate_factor() {
  return {.name = "factor",
          .type = T::real,
          .doc = "what the rate is multiplied by",
          .fallback = 0.1,
          .range = {.low = 0, .high = 1, .low_open = true, .high_open = true}};
}

const Variant& schedule_variant() {
  static const Setting warmup{.name = "warmup",
                              .type = T::real,
                              .doc = "epochs, or a part of one, over which the rate grows to `learning_rate`",
                              .fallback = 0.0,
                              .range = not_negative};
  static const Variant variant{
      "'schedule'",
      {{"constant", "the same rate throughout", {"a constant schedule", {warmup}}},
       {"step",
        "lower after every so many epochs",
        {"a step schedule",
         {{.name = "every", .type = T::integer, .doc = "epochs", .fallback = 10, .range = at_least_one},
          rate_factor(),
          warmup}}},
       {"cosine",
        "half a cosine, down to `floor` at the last step",
        {"a cosine schedule",
         {{.name = "floor",
           .type = T::real,
           .doc = "a share of `learning_rate`",
           .fallback = 0.0,
           .range = fraction},
          warmup}}},
       {"plateau",
        "lower when the training loss does not get better any more",
        {"a plateau schedule",
         {{.name = "patience",
           .type = T::integer,
           .doc = "epochs without a better loss that it waits for",
           .fallback = 5,
           .range = not_negative},
          {.name = "threshold",
           .type = T::real,
           .doc = "the share of the loss by which another has to be lower to be better",
           .fallback = 1e-4,
           .range = fraction},
          rate_factor(),
          warmup}}}},
      "constant"};
  return variant;
}

const Table& early_stopping_table() {
  static const Table table{"'early_stopping'",
                           {{.name = "patience",
                             .type = T::integer,
                             .doc = "epochs without a better loss after which training ends",
                             .fallback = 10,
                             .range = at_least_one},
                            {.name = "threshold",
                             .type = T::real,
                             .doc = "the share of the loss by which another has to be lower to be better",
                             .fallback = 0.0,
                             .range = fraction}},
                           "patience"};
  return table;
}

/// Those of a method of mini-batches: its own ones, and what all have.
std::vector<Setting> mini_batch(std::vector<Setting> own) {
  own.push_back({.name = "schedule",
                 .type = T::variant,
                 .doc = "how the learning rate changes: `cosine`, or `{type: cosine, warmup: 2}`",
                 .fallback_doc = "constant",
                 .variant = &schedule_variant()});
  own.push_back({.name = "early_stopping",
                 .type = T::table,
                 .doc =
                     "ends when the loss on the validation rows gets no better (in a search, on those that a "
                     "trial is judged by), and takes the weights of the best epoch",
                 .fallback_doc = "none",
                 .table = &early_stopping_table()});
  own.push_back({.name = "clip_norm",
                 .type = T::real,
                 .doc = "a gradient that is longer is scaled to this length",
                 .fallback_doc = "none",
                 .range = positive});
  for (const auto& common : {epochs(), batch_size(), shuffle()}) own.push_back(common);
  own.push_back({.name = "accumulate",
                 .type = T::integer,
                 .doc = "batches whose gradients are summed up for one step: it is one of `accumulate` times "
                        "`batch_size` rows, in the memory of one batch, and as many more ranks can share it",
                 .fallback_doc = "1",
                 .range = {.low = 1, .high = 1024}});
  return own;
}

/// Those of Adam and what is made of it.
std::vector<Setting> adam_settings() {
  return {learning_rate(1e-3),
          decay("beta1", 0.9, "decay of the mean of the gradients"),
          decay("beta2", 0.999, "decay of their mean square"),
          {.name = "epsilon",
           .type = T::real,
           .doc = "keeps the division finite",
           .fallback = 1e-8,
           .range = positive}};
}

std::vector<Setting> adamw_settings() {
  std::vector<Setting> settings = adam_settings();
  settings.push_back({.name = "weight_decay",
                      .type = T::real,
                      .doc = "what weights shrink by at a step, times its rate; biases do not",
                      .fallback = 0.01,
                      .range = not_negative});
  return settings;
}

Setting max_iterations(int fallback) {
  return {.name = "max_iterations",
          .type = T::integer,
          .doc = "iterations at most",
          .fallback = fallback,
          .range = at_least_one};
}

Setting tolerance() {
  return {.name = "tolerance",
          .type = T::real,
          .doc = "relative norm of the gradient to stop at",
          .fallback = 1e-10,
          .range = not_negative};
}

const Variant& optimizer_variant() {
  static const Variant variant{
      "'optimizer'",
      {{"lbfgs",
        "L-BFGS over all rows",
        {"an lbfgs optimizer",
         {max_iterations(1000),
          tolerance(),
          {.name = "objective_tolerance",
           .type = T::real,
           .doc = "share of the objective that five iterations have to gain: with less, and a gradient that "
                  "did not grow meanwhile, it stops; 0: never",
           .fallback = 1e-8,
           .range = not_negative},
          {.name = "history",
           .type = T::integer,
           .doc = "past steps that are kept",
           .fallback = 10,
           .range = at_least_one}}}},
       {"newton",
        "Newton's method with a line search, of a linear model; its directions by conjugate gradients",
        {"a newton optimizer",
         {max_iterations(200),
          tolerance(),
          {.name = "objective_tolerance",
           .type = T::real,
           .doc = "share of the objective: the step that promises to gain no more is the last, and leaves "
                  "about a "
                  "hundredth of it; 0: never",
           .fallback = 1e-6,
           .range = not_negative}}}},
       {"interior_point",
        "of losses with corners, hinge and epsilon_insensitive: the central path to their minimum",
        {"an interior_point optimizer",
         {max_iterations(200),
          {.name = "gap_tolerance",
           .type = T::real,
           .doc = "share of the objective that is left at most",
           .fallback = 1e-7,
           .range = not_negative},
          {.name = "max_features",
           .type = T::integer,
           .doc = "more are refused: for each class it takes memory for their square",
           .fallback = 2000,
           .range = at_least_one}}}},
       {"closed_form",
        "of linear_regression without l1: the normal equations by Cholesky's factorisation",
        {"a closed_form optimizer",
         {{.name = "max_features",
           .type = T::integer,
           .doc = "with more features it is lbfgs instead: it takes memory for their square, and time for "
                  "their cube",
           .fallback = 2000,
           .range = at_least_one}}}},
       {"coordinate_descent",
        "of linear_regression: coordinate descent on the products of the columns; without l1 it is "
        "closed_form",
        {"a coordinate_descent optimizer",
         {max_iterations(10'000),
          {.name = "gap_tolerance",
           .type = T::real,
           .doc = "share of the objective that the duality gap may be in the end",
           .fallback = 1e-8,
           .range = not_negative}}}},
       {"gradient_descent",
        "plain gradient descent over all rows",
        {"a gradient_descent optimizer",
         {learning_rate(0.01),
          {.name = "steps",
           .type = T::integer,
           .doc = "how many",
           .fallback = 1000,
           .range = at_least_one}}}},
       {"sgd",
        "stochastic gradient descent with momentum",
        {"an sgd optimizer", mini_batch({learning_rate(0.1),
                                         decay("momentum", 0.9, "how much of the last step is kept"),
                                         {.name = "nesterov",
                                          .type = T::boolean,
                                          .doc = "the gradient is taken as if the last step went on",
                                          .fallback = false}})}},
       {"adam", "Adam", {"an adam optimizer", mini_batch(adam_settings())}},
       {"adamw", "Adam with decoupled weight decay", {"an adamw optimizer", mini_batch(adamw_settings())}}}};
  return variant;
}

const Table& checkpoint_table() {
  static const Table table{
      "'checkpoint'",
      {{.name = "every",
        .type = T::interval,
        .doc =
            "epochs, or iterations of a full-batch method; or a time such as `10m`; `auto`: as often as it "
            "pays, by what a checkpoint costs and by `mtbf`",
        .fallback_doc = "10 epochs, 100 iterations",
        .range = at_least_one},
       {.name = "mtbf",
        .type = T::period,
        .doc = "`every: auto`: the mean time between failures of the job",
        .fallback_doc = "`24h`"},
       {.name = "keep",
        .type = T::integer,
        .doc = "how many of the newest are kept; two at least, so that a damaged one has another behind it",
        .fallback = 2,
        .range = {.low = 2}},
       {.name = "keep_every",
        .type = T::integer,
        .doc = "the first one of every so many epochs or iterations is never removed",
        .fallback_doc = "none",
        .range = at_least_one}},
      "every"};
  return table;
}

Setting share_of(std::string name, std::string doc, std::string fallback) {
  return {.name = std::move(name),
          .type = T::integer,
          .doc = std::move(doc),
          .fallback_doc = std::move(fallback),
          .range = at_least_one};
}

const Table& parallel_table() {
  static const Table table{
      "'parallel'",
      {{.name = "layout",
        .type = T::text,
        .doc =
            "`auto`: when training begins the ranks measure how fast they compute and talk, and take what is "
            "predicted to be fastest of the layouts that the memory has room for. It chooses data, tensor "
            "and "
            "pipeline where they are not given, and never slices: with exact sums each choice gives the same "
            "model. Of an lstm or a gru, and of sparse rows, it chooses data alone",
        .fallback_doc = "as given",
        .choices = {"auto"}},
       share_of("data", "groups of ranks that take other rows", "what the others leave of the ranks"),
       share_of("tensor", "ranks that share each layer: a power of two", "1"),
       share_of("pipeline", "groups of layers, at most one a layer", "1"),
       share_of("slices",
                "into how many slices layers are cut, whoever has them: a power of two that divides the "
                "hidden widths. The same slices give the same model, bit for bit, in every layout",
                "`tensor`")},
      "layout"};
  return table;
}

}  // namespace

std::vector<Setting> learning_settings(bool model_required) {
  return {
      {.name = "model",
       .type = T::variant,
       .doc = "what is fitted",
       .required = model_required,
       .variant = &model_variant()},
      {.name = "optimizer",
       .type = T::variant,
       .doc = "how it is fitted",
       .fallback = Json::object(),
       .fallback_doc = "newton; interior_point for the losses hinge and epsilon_insensitive; adam for an "
                       "mlp, lstm or gru; for linear_regression closed_form, coordinate_descent where there "
                       "is an `l1`, lbfgs where there is an `init` or a `start_from`; kmeans, pca and "
                       "kernel_svm have methods of their own",
       .variant = &optimizer_variant()},
      {.name = "class_weight",
       .type = T::text,
       .doc =
           "`balanced`: the loss of a row counts the more, the fewer rows its class has; each class counts "
           "alike. It multiplies with `sample_weight`, which the counting of the rows does not look at",
       .fallback_doc = "`none`",
       .choices = {"none", "balanced"}},
      seed_setting(),
      {.name = "precision",
       .type = T::text,
       .doc = "what a method of mini-batches computes in; `mixed`, of a network: float32, but the factors of "
              "products are rounded to bfloat16, for which GPUs have units (other processors round them, and "
              "gain nothing)",
       .fallback_doc = "`float64`; `float32` for a network",
       .choices = {"float64", "float32", "mixed"}},
      {.name = "exact",
       .type = T::boolean,
       .doc = "of mini-batches: sums over ranks have one order, so that any number of ranks, and a "
              "resumption on "
              "another number, give the same bits; `false`: each rank's rows at once, in MPI's order",
       .fallback_doc = "`true`"},
      {.name = "cache",
       .type = T::memory,
       .doc =
           "memory in which a rank of a full-batch method keeps its rows, as they are stored; more of them "
           "are read at each iteration. A rank of a method of mini-batches keeps all rows, or none. Of a "
           "kernel_svm, which keeps all rows on each rank, the memory for "
           "rows "
           "of the kernel matrix. It changes no number of the model",
       .fallback_doc = "half of a rank's share of what is free; of mini-batches no more than 1 GiB a node"},
      {.name = "shards",
       .type = T::integer,
       .doc = "into how many pieces a full-batch method cuts the rows: the most ranks that share them. A "
              "power of two; the last bits of the model depend on it",
       .fallback_doc = "64",
       .range = {.low = 1, .high = 4096}},
      {.name = "parallel",
       .type = T::table,
       .doc = "how the ranks share a training in mini-batches: data x tensor x pipeline of them; `auto`: as "
              "it is fastest",
       .fallback_doc = "they share the rows",
       .table = &parallel_table()},
      {.name = "balance",
       .type = T::text,
       .doc = "how the ranks share the rows: `even`, or `dynamic`: by their speed, which is measured all the "
              "time. It changes no number of the model, unless `exact: false`. Of methods that go over the "
              "rows many times",
       .fallback_doc = "`even`",
       .choices = {"even", "dynamic"}},
      {.name = "checkpoint",
       .type = T::table,
       .doc = "how often the state is saved",
       .fallback = Json::object(),
       .table = &checkpoint_table()}};
}

Setting seed_setting() {
  return {.name = "seed",
          .type = T::integer,
          .doc = "seed of the random numbers",
          .fallback = 0,
          .range = not_negative};
}

}  // namespace kernmill
