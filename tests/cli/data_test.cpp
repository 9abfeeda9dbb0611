// `kernmill data` and `kernmill model` on real files.
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "broken_streams.hpp"
#include "kernmill/os/durable_file.hpp"
#include "program.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
namespace fs = std::filesystem;

/// A folder with a dataset of iris that `kernmill data import` has made.
class DataCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    const Finished made = data({"import", DATA "/iris.csv", "-o", "iris.h5", "target=species",
                                "split={test: 0.2, seed: 3}", "scale=standard"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  [[nodiscard]] Finished data(std::vector<std::string> words) const {
    return kernmill("data", std::move(words));
  }
  [[nodiscard]] Finished kernmill(const std::string& noun, std::vector<std::string> words) const {
    words.insert(words.begin(), {KERNMILL, noun});
    return run_program({words, path(), {}});
  }
  void flip_a_bit(const std::string& name, std::streamoff at) const {
    fs::permissions(path() / name, fs::perms::owner_write, fs::perm_options::add);
    std::fstream file(path() / name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(at);
    file.put(byte);
  }
  [[nodiscard]] const fs::path& path() const { return folder_.path(); }

 private:
  TemporaryDirectory folder_;
};

TEST_F(DataCommand, ImportLeavesTheDatasetAloneAndNothingElse) {
  EXPECT_EQ(std::distance(fs::directory_iterator(path()), fs::directory_iterator()), 1);
  const Finished wrong = data({"import", DATA "/iris.csv", "-o", "other.h5", "target=specie", "scal=none"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_EQ(
      wrong.err,
      "error: iris.csv has no column 'specie'\n  in  target=specie\nhelp: did you mean 'species'?\n"
      "error: unknown key 'scal' of a preprocess stage\n  in  scal=none\nhelp: did you mean 'scale'?\n");
  std::ofstream(path() / "bad.csv") << "x,y\n1,2\nthree,4\n";
  const Finished bad = data({"import", "bad.csv", "-o", "other.h5"});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.err, AllOf(StartsWith("error: "), HasSubstr("bad.csv:3:1: 'three' in column 'x' is not"),
                             Not(HasSubstr("kernmill-import"))));
  EXPECT_FALSE(fs::exists(path() / "other.h5"));
  EXPECT_EQ(std::distance(fs::directory_iterator(path()), fs::directory_iterator()), 2);
}

TEST_F(DataCommand, StreamsOfEveryVerbAndOfThePrograms) {
  const BrokenStreams streams({{}, path(), {}});
  const Finished help = data({"--help"});
  std::string verbs = help.out.substr(help.out.find("Usage: kernmill data ") + 21);
  verbs.resize(verbs.find(' '));
  const std::map<std::string, std::string> calls{{"info", "iris.h5"},
                                                 {"head", "iris.h5"},
                                                 {"verify", "iris.h5 --json"},
                                                 {"diff", "iris.h5 iris.h5"},
                                                 {"export", "iris.h5 -o $$.csv"},
                                                 {"import", "'" DATA "/iris.csv' -o $$.h5 target=species"}};
  std::istringstream list(verbs);
  for (std::string verb; std::getline(list, verb, '|');) {
    ASSERT_TRUE(calls.contains(verb)) << "how is kernmill data " << verb << " called? add it to `calls`";
    streams.expect_kept_by(std::string("'" KERNMILL "' data ") + verb + ' ' + calls.at(verb));
  }
  for (const char* words : {"' data info iris.h5 --json", "' data verify iris.h5", "' data info none.h5", "'",
                            "' --help", "' model info iris.h5"})
    streams.expect_kept_by(std::string("'" KERNMILL_STORAGE) + words);
  for (const char* words : {"' --version", "' --check", "'", "' train --spec none.json"})
    streams.expect_kept_by(std::string("'" KERNMILL_TASK) + words);
  for (const char* words : {"'", "' --run . --stage x", "' --nonsense"})
    streams.expect_kept_by(std::string("'" KERNMILL_EXEC) + words);
  for (const char* words : {"' schema", "' reference", "'"})
    streams.expect_kept_by(std::string("'" KERNMILL_SCHEMA) + words);
}

TEST_F(DataCommand, ImportListsTheRowsThatItLeavesOut) {
  std::ofstream(path() / "bad.csv") << "x,y\n1,2\nthree,4\n5,6\n";
  const Finished made = data({"import", "bad.csv", "-o", "good.h5", "on_bad_row=skip"});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(made.out,
            "good.h5: 2 rows, 2 features: 2 train, 0 validation, 0 test\n"
            "good.rejected.csv: 1 row was left out\n");
  EXPECT_EQ(read_file(path() / "good.rejected.csv"),
            "row,line,column,field,value,reason\n1,3,1,x,three,is not a number\n");
  const auto json =
      nlohmann::json::parse(data({"import", "bad.csv", "-o", "good.h5", "on_bad_row=skip", "--json"}).out);
  EXPECT_EQ(json["dataset"], "good.h5");
  EXPECT_EQ(json["metrics"]["rejected"], 1);
}

TEST_F(DataCommand, ImportEncryptsWithTheKeyThatItIsGiven) {
  write_file_durably(path() / "key", std::string(32, 'k'));
  fs::permissions(path() / "key", fs::perms::owner_read);
  EXPECT_EQ(
      data({"import", DATA "/iris.csv", "-o", "secret.h5", "target=species", "--key-file", "key"}).exit_code,
      0);
  EXPECT_THAT(data({"info", "secret.h5"}).err, HasSubstr("is encrypted"));
  EXPECT_THAT(data({"info", "secret.h5", "--key-file", "key"}).out, HasSubstr("150 train"));
  EXPECT_THAT(read_file(path() / "secret.h5"), Not(HasSubstr("setosa")));
}

TEST_F(DataCommand, ImportTakesTheKeyFromTheEnvironmentAndNotesItsUse) {
  const std::string key(64, '7');
  fs::create_directory(path() / "runs");
  const std::vector<std::string> words{KERNMILL,    "data",           "import",    DATA "/iris.csv", "-o",
                                       "secret.h5", "target=species", "--key-env", "IRIS_KEY"};
  const Finished refused = run_program({words, path(), {}});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("IRIS_KEY"));
  const Finished made = run_program({words, path(), {{"IRIS_KEY", key}}});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(data({"info", "secret.h5"}).err, HasSubstr("is encrypted"));
  const std::string log = read_file(path() / "runs" / ("audit-" + std::to_string(::geteuid()) + ".jsonl"));
  EXPECT_THAT(log,
              AllOf(HasSubstr("data import"), HasSubstr("\"key_env\":\"IRIS_KEY\""), Not(HasSubstr(key))));
}

TEST_F(DataCommand, ADeploymentIsNotedWithWhatItReadAndLeft) {
  std::ofstream(path() / "flow.yaml") << "encryption: {key_env: IRIS_KEY}\n"
                                         "stages:\n"
                                         "  prepare: {task: preprocess, input: " DATA
                                         "/iris.csv, target: species}\n"
                                         "  fit: {task: train, data: prepare, model: {type: softmax}}\n"
                                         "  ship: {task: deploy, model: fit, input: " DATA "/iris.csv}\n";
  const Finished done =
      run_program({{KERNMILL, "run", "flow.yaml"}, path(), {{"IRIS_KEY", std::string(64, '7')}}});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const auto shown = nlohmann::json::parse(kernmill("audit", {"show", "--json"}).out).at("entries");
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_EQ(shown[0].at("command"), "run");
  EXPECT_EQ(shown[0].at("key"), (nlohmann::json{{"key_env", "IRIS_KEY"}}));
  EXPECT_EQ(shown[1].at("command"), "deploy");
  EXPECT_EQ(shown[1].at("from").at(0).at("artifact"), "fit.model");
  EXPECT_EQ(shown[1].at("left").at(0).at("artifact"), "predictions");
  EXPECT_EQ(shown[1].at("left").at(0).at("sha256").get<std::string>().size(), 64U);
  EXPECT_EQ(kernmill("audit", {"verify"}).exit_code, 0);
}

TEST_F(DataCommand, ACrashOfHdf5IsToldAsWhatItIs) {
  const Finished made = data({"import", "iris.h5", "-o", "again.h5", "datasets=[train/features]",
                              "env={LD_PRELOAD: " CRASHING_HDF5 "}"});
  EXPECT_EQ(made.exit_code, 1);
  EXPECT_THAT(made.err, AllOf(HasSubstr("iris.h5: HDF5 crashed while it read it"), HasSubstr("h5dump")));
}

TEST_F(DataCommand, NamesCannotSteerTheTerminal) {
  std::ofstream(path() / "odd.csv") << "x,y\n1,\"a\nb\"\n2,\x1B[31mred\n3,\xC2\x9B"
                                       "1mbold\n";
  EXPECT_EQ(data({"import", "odd.csv", "-o", "odd.h5", "target=y"}).exit_code, 0);
  EXPECT_THAT(data({"info", "odd.h5"}).out, HasSubstr("3 classes (\\x1b[31mred, a\\nb, \\x9b1mbold)"));
  EXPECT_EQ(data({"head", "odd.h5"}).out,
            "row            y  x\n  0         a\\nb  1\n  1  \\x1b[31mred  2\n  2   \\x9b1mbold  3\n");
}

TEST_F(DataCommand, InfoTellsWhatIsInIt) {
  EXPECT_THAT(
      data({"info", "iris.h5"}).out,
      AllOf(StartsWith("iris.h5: a dataset"), HasSubstr("120 train, 0 validation, 30 test"),
            HasSubstr("species: 3 classes (setosa, versicolor, virginica)"), HasSubstr("sepal_length")));
  const auto json = nlohmann::json::parse(data({"info", "iris.h5", "--json"}).out);
  EXPECT_EQ(json["schema_version"], 1);
  EXPECT_EQ(json["rows"]["test"], 30);
  EXPECT_EQ(json["schema"]["features"].size(), 4U);
  EXPECT_EQ(json["content_hash"].get<std::string>().size(), 64U);
}

TEST_F(DataCommand, HeadShowsTheFirstRowsOfAPart) {
  const auto json =
      nlohmann::json::parse(data({"head", "iris.h5", "--part", "test", "--rows", "3", "--json"}).out);
  ASSERT_EQ(json["rows"].size(), 3U);
  EXPECT_EQ(json["rows"][0]["features"].size(), 4U);
  EXPECT_TRUE(json["rows"][0]["target"]["species"].is_string());
  EXPECT_THAT(data({"head", "iris.h5", "--part", "training"}).err, HasSubstr("train, validation or test"));
}

TEST_F(DataCommand, VerifyFindsAFlippedBitAndLooksAtTheOthersAllTheSame) {
  fs::copy_file(path() / "iris.h5", path() / "other.h5");
  EXPECT_EQ(data({"verify", "iris.h5", "other.h5"}).exit_code, 0);
  // The last table of the file: somewhere in its bytes.
  flip_a_bit("other.h5", static_cast<std::streamoff>(fs::file_size(path() / "other.h5")) / 2);
  const Finished found = data({"verify", "other.h5", "iris.h5"});
  EXPECT_EQ(found.exit_code, 1);
  EXPECT_THAT(found.err, HasSubstr("other.h5"));
  EXPECT_THAT(found.out, HasSubstr("iris.h5: whole (dataset, 150 rows)"));
}

TEST_F(DataCommand, DiffTellsWhereTwoDatasetsDiffer) {
  EXPECT_EQ(data({"import", DATA "/iris.csv", "-o", "same.h5", "target=species", "split={test: 0.2, seed: 3}",
                  "scale=standard"})
                .exit_code,
            0);
  const Finished same = data({"diff", "iris.h5", "same.h5"});
  EXPECT_EQ(same.exit_code, 0) << same.out;
  EXPECT_EQ(data({"import", DATA "/iris.csv", "-o", "raw.h5", "target=species", "split={test: 0.2, seed: 3}"})
                .exit_code,
            0);
  const Finished differs = data({"diff", "iris.h5", "raw.h5"});
  EXPECT_EQ(differs.exit_code, 1);
  EXPECT_THAT(differs.out,
              AllOf(HasSubstr("schema: steps differs"), HasSubstr("train: 480 of 600 values differ")));
}

TEST_F(DataCommand, ExportGivesTheNumbersBack) {
  EXPECT_EQ(data({"import", DATA "/iris.csv", "-o", "raw.h5", "target=species"}).exit_code, 0);
  EXPECT_EQ(data({"export", "raw.h5", "-o", "raw.csv"}).exit_code, 0);
  EXPECT_THAT(read_file(path() / "raw.csv"),
              StartsWith("part,row,sepal_length,sepal_width,petal_length,petal_width,species\n"
                         "train,0,5.1,3.5,1.4,0.2,setosa\n"));
  EXPECT_EQ(data({"export", "raw.h5", "-o", "raw.npy", "--part", "train"}).exit_code, 0);
  EXPECT_EQ(fs::file_size(path() / "raw.npy"), 128U + 150 * 5 * sizeof(double));
  EXPECT_THAT(data({"export", "raw.h5", "-o", "raw.xls"}).err, HasSubstr(".csv, .npy or .svm"));
}

TEST_F(DataCommand, TypesAndSparseRowsAreShown) {
  EXPECT_THAT(data({"info", SAMPLES "/dataset_mixed.h5"}).out,
              HasSubstr("float32, 2 columns; uint8, 2 columns, scaled when read, 250 B; target int32\n"));
  EXPECT_THAT(data({"info", SAMPLES "/dataset_sparse.h5"}).out,
              HasSubstr("sparse, float32, 32 entries, density 32 %, 480 B; target int32\n"));
  const auto json = nlohmann::json::parse(data({"info", SAMPLES "/dataset_sparse.h5", "--json"}).out);
  EXPECT_EQ(json["encoding"]["layout"], "sparse");
  EXPECT_EQ(json["encoding"]["entries"]["train"], 26);
  EXPECT_EQ(data({"head", SAMPLES "/dataset_sparse.h5", "--rows", "4"}).out,
            "row  kind  what is not 0\n  0     a  alpha:21\n  1     b  blue:45\n  2     c  green:69\n"
            "  3     a  red:93 alpha:114\n");
  EXPECT_THAT(kernmill("model", {"info", SAMPLES "/model.h5"}).out, HasSubstr("floats  4  float32\n"));
}

TEST_F(DataCommand, SparseRowsAreComparedAndExported) {
  EXPECT_EQ(data({"diff", SAMPLES "/dataset_sparse.h5", SAMPLES "/dataset_sparse.h5"}).exit_code, 0);
  const Finished differs = data({"diff", SAMPLES "/dataset_sparse.h5", SAMPLES "/dataset_float16.h5"});
  EXPECT_EQ(differs.exit_code, 1);
  EXPECT_THAT(differs.out,
              AllOf(HasSubstr("encoding: sparse float32, target int32 and float16, target int32\n"),
                    HasSubstr("train: 53 of 100 values differ, by 124 at most; first train row 0, "
                              "green: 0 and 7\n")));
  EXPECT_EQ(data({"export", SAMPLES "/dataset_sparse.h5", "-o", "s.svm"}).exit_code, 0);
  EXPECT_THAT(read_file(path() / "s.svm"), StartsWith("0 4:21\n1 3:45\n2 2:69\n0 1:93 4:114\n"));
  EXPECT_EQ(data({"export", SAMPLES "/dataset_sparse.h5", "-o", "s.csv"}).exit_code, 0);
  EXPECT_THAT(read_file(path() / "s.csv"),
              StartsWith("part,row,red,green,blue,alpha,kind\ntrain,0,0,0,0,21,a\n"));
}

TEST_F(DataCommand, ExportFollowsNoLinkAndObeysTheUmask) {
  fs::permissions(path(), fs::perms(0755));
  std::ofstream(path() / "private") << "mine";
  fs::permissions(path() / "private", fs::perms(0600));
  fs::create_symlink(path() / "private", path() / ".x.csv.partial");
  const mode_t before = ::umask(077);
  const Finished made = data({"export", "iris.h5", "-o", "x.csv"});
  ::umask(before);
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(read_file(path() / "private"), "mine");
  EXPECT_EQ(fs::status(path() / "private").permissions(), fs::perms(0600));
  EXPECT_EQ(fs::status(path() / "x.csv").permissions(), fs::perms(0600));
  EXPECT_EQ(data({"export", "nowhere.h5", "-o", "y.csv"}).exit_code, 1);
  EXPECT_FALSE(fs::exists(path() / "y.csv"));
  for (const auto& entry : fs::directory_iterator(path()))
    EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr(".y.csv")));
}

TEST_F(DataCommand, VerifyWithAKeySaysThatAPlainFileIsNotEncrypted) {
  write_file_durably(path() / "key", std::string(32, 'k'));
  fs::permissions(path() / "key", fs::perms::owner_read);
  const Finished plain = data({"verify", "iris.h5", "--key-file", "key"});
  EXPECT_EQ(plain.exit_code, 1);
  EXPECT_THAT(plain.err, HasSubstr("iris.h5: is not encrypted"));
  EXPECT_EQ(data({"info", "iris.h5", "--key-file", "key"}).exit_code, 0);
}

TEST_F(DataCommand, WhatIsNoDatasetIsSaidToBeNone) {
  std::ofstream(path() / "text.h5") << "not at all";
  EXPECT_THAT(data({"info", "text.h5"}).err, HasSubstr("text.h5: is not an HDF5 file"));
  EXPECT_THAT(data({"info", "nowhere.h5"}).err, HasSubstr("nowhere.h5"));
  EXPECT_EQ(data({"info", "nowhere.h5"}).exit_code, 1);
  EXPECT_THAT(kernmill("model", {"info", "iris.h5"}).err, HasSubstr("kernmill data info"));
  EXPECT_EQ(kernmill("model", {"infos", "iris.h5"}).exit_code, 2);
}

TEST_F(DataCommand, CutOffAtAnyPlaceItIsNoDatasetAndCrashesNothing) {
  const auto size = fs::file_size(path() / "iris.h5");
  for (std::uintmax_t kept = 0; kept < size; kept += size / 23) {
    fs::remove(path() / "cut.h5");
    fs::copy_file(path() / "iris.h5", path() / "cut.h5");
    fs::permissions(path() / "cut.h5", fs::perms::owner_write,
                    fs::perm_options::add);  // the copy is read-only, too
    fs::resize_file(path() / "cut.h5", kept);
    const Finished verified = data({"verify", "cut.h5"});
    EXPECT_EQ(verified.exit_code, 1) << kept;
    EXPECT_THAT(verified.err, HasSubstr("cut.h5")) << kept;
  }
}

}  // namespace
}  // namespace kernmill::testing
