#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <hdf5.h>
#include <zlib.h>

#include "data_fixture.hpp"

/// Input of every format, alone and in many files.
namespace kernmill::tasks {
namespace {

using storage::Part;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class T>
std::string bytes_of(std::initializer_list<T> values, bool swapped = false) {
  std::string bytes;
  for (const T value : values) {
    std::array<char, sizeof(T)> raw{};
    std::memcpy(raw.data(), &value, sizeof(T));
    if (swapped) std::reverse(raw.begin(), raw.end());
    bytes.append(raw.begin(), raw.end());
  }
  return bytes;
}

/// As numpy.save writes it.
std::string npy(const std::string& type, const std::string& shape, const std::string& data, char version = 1,
                bool column_major = false) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': " + (column_major ? "True" : "False") +
                       ", 'shape': " + shape + ", }";
  header += std::string(63 - (10 + header.size()) % 64, ' ') + "\n";
  const auto length = static_cast<std::uint32_t>(header.size());
  const std::string size = version == 1 ? bytes_of({static_cast<std::uint16_t>(length)}) : bytes_of({length});
  return std::string("\x93NUMPY") + version + '\0' + size + header + data;
}

std::string idx(char type, std::initializer_list<std::uint32_t> shape, const std::string& data) {
  return std::string("\0\0", 2) + type + static_cast<char>(shape.size()) + bytes_of(shape, true) + data;
}

class Formats : public Preprocessing {
 protected:
  void put_gzip(const std::string& name, const std::string& text) {
    if (comm.is_root()) {
      const gzFile file = gzopen((directory / name).c_str(), "wb");
      gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
      gzclose(file);
    }
    MPI_Barrier(comm.handle());
  }
  Result run_file(const std::string& name, const Json& changes) { return run(directory / name, changes); }
  Result run_with_labels(const std::string& name, const std::string& labels, const Json& changes) {
    Spec spec;
    spec.config = kernmill::testing::preprocess_settings(changes);
    spec.inputs["input"] = directory / name;
    spec.inputs["labels"] = directory / labels;
    spec.output_directory = directory;
    return run_preprocess(spec, comm);
  }
  Rows train() { return rows_of(dataset(), Part::train); }
};

TEST_F(Formats, GzippedTextIsExpandedAndNothingOfItStays) {
  std::string csv = "\xEF\xBB\xBFx\ty\n";
  for (int i = 0; i < 5000; ++i) csv += std::to_string(i) + "\t" + (i % 2 == 0 ? "a" : "b") + "\n";
  put_gzip("rows.tsv.gz", csv);
  EXPECT_EQ(run_file("rows.tsv.gz", {{"target", target("y")}}).metrics["rows"], 5000);
  EXPECT_EQ(train().features.at(4711), 4711);
  EXPECT_THAT(names(), ::testing::UnorderedElementsAre("rows.tsv.gz", "dataset.h5"));
  put_gzip("bad.csv.gz", "x,y\n1,2\n3,four\n");
  EXPECT_EQ(failure([&] { run_file("bad.csv.gz", Json::object()); }),
            "'four' in column 'y' is not a number @ bad.csv.gz:3:3");
}

TEST_F(Formats, WhatIsKeptOnDiskForAWhileChangesNothingWhenItIsEncrypted) {
  for (const int part : {0, 1}) {
    std::string csv = "x,city\n";
    for (int i = 0; i < 3000; ++i) csv += fmt::format("{},{}\n", i, i % 3 == part ? "Bonn" : "Ulm");
    put_gzip(fmt::format("part-{}.csv.gz", part), csv);
  }
  const Json changes = {{"buffer", 4096}, {"shuffle", true}, {"encode", encode("one_hot")}};
  run_file("part-*.csv.gz", changes);
  const std::string expected = dataset().content_hash();
  Spec spec;
  spec.config = kernmill::testing::preprocess_settings(changes);
  spec.inputs["input"] = directory / "part-*.csv.gz";
  spec.output_directory = directory;
  spec.key = storage::Key(std::array<std::byte, storage::Key::size>{});
  run_preprocess(spec, comm);
  EXPECT_EQ(storage::DatasetReader(comm.handle(), directory / "dataset.h5", {spec.key}).content_hash(),
            expected);
}

TEST_F(Formats, AGzippedFileThatIsCutOffIsRefused) {
  put_gzip("whole.csv.gz", "x,y\n" + std::string(20000, '1') + "\n");
  const std::string whole = content(directory / "whole.csv.gz");
  put_bytes("cut.csv.gz", whole.substr(0, whole.size() - 12));
  EXPECT_THAT(failure([&] { run_file("cut.csv.gz", Json::object()); }), HasSubstr("cannot be expanded"));
}

TEST_F(Formats, WhatIsNoCsvIsCalledByItsName) {
  for (const auto& [bytes, name] : {std::pair{"PAR1....", "a Parquet file"},
                                    {"PK\x03\x04....", "a zip archive (.npz, .xlsx)"},
                                    {"\x93NUMPY\x01", "a NumPy array"}}) {
    put_bytes("x.dat", bytes);
    EXPECT_THAT(failure([&] { run_file("x.dat", Json::object()); }),
                HasSubstr(std::string("x.dat is no CSV file, but ") + name));
  }
}

TEST_F(Formats, ManyFilesAreOneInput) {
  put(directory / "part-1.csv", "x,y\n1,\"a\nb\"\n2,c\n");
  put(directory / "part-2.csv", "x,y\n3,c");
  put_gzip("part-3.csv", "x,y\n4,c\n5,\"a\nb\"\n");
  EXPECT_EQ(run_file("part-*.csv", {{"target", target("y")}}).metrics["rows"], 5);
  EXPECT_THAT(train().features, ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(train().target, ElementsAre(0, 1, 1, 1, 0));
  put(directory / "part-2.csv", "x,y\n3,c\nbad,c\n");
  EXPECT_EQ(failure([&] {
              run_file("part-*.csv", {{"target", target("y")}});
            }),
            "'bad' in column 'x' is not a number @ part-2.csv:3:1");
  put(directory / "part-2.csv", "x,z\n3,c\n");
  EXPECT_THAT(failure([&] {
                run_file("part-*.csv", {{"target", target("y")}});
              }),
              HasSubstr("part-2.csv are not those of"));
  EXPECT_THAT(failure([&] { run_file("none-*.csv", Json::object()); }), HasSubstr("no file matches"));
}

TEST_F(Formats, LibsvmLinesAreRowsOfManyZeros) {
  put(directory / "rows.svm", "+1 1:0.5 4:2 # a comment\n\n-1 qid:3 2:1e3\r\n+1\n");
  EXPECT_EQ(run_file("rows.svm", {{"target", target("label")}}).metrics["rows"], 3);
  EXPECT_THAT(dataset().schema().features, ElementsAre("f1", "f2", "f3", "f4"));
  EXPECT_THAT(dataset().schema().classes, ElementsAre("-1", "1"));
  EXPECT_THAT(train().features, ElementsAre(0.5, 0, 0, 2, 0, 1000, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(train().target, ElementsAre(1, 0, 1));
}

TEST_F(Formats, LibsvmMistakesHaveTheirPlace) {
  const auto failure_of = [&](const std::string& text) {
    put(directory / "rows.svm", text);
    return failure([&] { run_file("rows.svm", {{"target", target("label")}}); });
  };
  EXPECT_EQ(failure_of("1 1:2\n1 3:1 2:1\n"),
            "'2:1' in column 'label or index:value' has an index that does not rise @ rows.svm:2:7");
  EXPECT_EQ(failure_of("1 1:2\n1 1:x\n"),
            "'1:x' in column 'label or index:value' has a value that is not a number @ rows.svm:2:3");
  EXPECT_THAT(failure_of("1:2 2:3\n1 1:1\n"), HasSubstr("is no label @ rows.svm:1:1"));
  EXPECT_THAT(failure_of("1\n2\n"), HasSubstr("has no values"));
}

TEST_F(Formats, NpyArraysOfCommonTypesAndOrders) {
  const std::vector<std::string> files{
      npy("<f8", "(3, 2)", bytes_of<double>({1, 2, 3, 4, 5, 6})),
      npy(">f4", "(3, 2)", bytes_of<float>({1, 2, 3, 4, 5, 6}, true)),
      npy("<i8", "(3, 2)", bytes_of<std::int64_t>({1, 2, 3, 4, 5, 6}), 2),
      npy(">i2", "(3, 2)", bytes_of<std::int16_t>({1, 2, 3, 4, 5, 6}, true)),
      npy("|u1", "(3, 2, 1)", bytes_of<std::uint8_t>({1, 2, 3, 4, 5, 6})),
      npy("<f2", "(3L, 2L)", bytes_of<std::uint16_t>({0x3C00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600})),
      npy(">f2", "(3, 2)", bytes_of<std::uint16_t>({0x3C00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600}, true)),
      // as of a DataFrame
      npy("<f8", "(3, 2)", bytes_of<double>({1, 3, 5, 2, 4, 6}), 1, true)};
  for (const auto& file : files) {
    put_bytes("x.npy", file);
    put_bytes("y.npy", npy("<i4", "(3,)", bytes_of<std::int32_t>({7, 9, 7})));
    run_with_labels("x.npy", "y.npy", {{"target", target("label")}});
    EXPECT_THAT(train().features, ElementsAre(1, 2, 3, 4, 5, 6));
    EXPECT_THAT(train().target, ElementsAre(0, 1, 0));
    EXPECT_THAT(dataset().schema().classes, ElementsAre("7", "9"));
  }
}

TEST_F(Formats, NpyFilesThatCannotBeReadSayWhy) {
  const auto failure_of = [&](const std::string& bytes) {
    put_bytes("x.npy", bytes);
    return failure([&] { run_file("x.npy", Json::object()); });
  };
  const std::string two = bytes_of<double>({1, 2});
  EXPECT_THAT(failure_of("nothing"), HasSubstr("the array cannot be read: it is no .npy file @ x.npy"));
  EXPECT_THAT(failure_of(npy("<f8", "(1, 1, 2)", two, 1, true)), HasSubstr("Fortran order"));
  EXPECT_THAT(failure_of(npy("<f8", "(3,)", two)), HasSubstr("it is cut off"));
  EXPECT_THAT(failure_of(npy("<f8", "(1,)", two)),
              HasSubstr("8 bytes lie behind it, which would be left out"));
  for (const std::string name : {"id", "class"}) {  // two names that would be one number
    const std::string ids = npy("<i8", "(2,)", bytes_of<std::int64_t>({1, 9007199254740993}));
    put_bytes("x.npy", npy("<f8", "(2,)", two));
    put_bytes("y.npy", ids);
    EXPECT_THAT(failure([&] {
                  run_with_labels("x.npy", "y.npy",
                                  name == "id" ? Json::object() : Json{{"target", target("label")}});
                }),
                HasSubstr("in column 'label' is about a whole number of 2^53 or more"));
  }
  EXPECT_THAT(failure_of(npy("<c16", "(1,)", two)), HasSubstr("its elements are"));
  EXPECT_THAT(failure_of(npy("<f8", "(2,)", bytes_of<double>({1, NAN}))),
              HasSubstr("'nan' in column 'c0' is not a finite number @ "));
  EXPECT_THAT(failure_of(npy("<f8", "(9999999999, 9999999999)", two)), HasSubstr("larger than any file"));
}

TEST_F(Formats, NpyFilesOfPython2AndHalfPrecision) {
  // As numpy 1.7 wrote it: long integers, and no padding.
  const std::string header = "{'descr': '<f2', 'fortran_order': False, 'shape': (6L,), }\n";
  const auto halves = bytes_of<std::uint16_t>({0x0001, 0x8400, 0x7BFF, 0x3555, 0xC900, 0x0000});
  put_bytes("x.npy", std::string("\x93NUMPY\x01\0", 8) +
                         bytes_of({static_cast<std::uint16_t>(header.size())}) + header + halves);
  run_file("x.npy", Json::object());
  EXPECT_THAT(train().features,
              ElementsAre(std::ldexp(1, -24), -std::ldexp(1, -14), 65504, std::ldexp(0x555, -12), -10, 0));
  put_bytes("x.npy", npy("<f2", "(2,)", bytes_of<std::uint16_t>({0x3C00, 0x7C00})));
  EXPECT_THAT(failure([&] { run_file("x.npy", Json::object()); }),
              HasSubstr("'inf' in column 'c0' is not a finite number @ "));
}

TEST_F(Formats, MissingNumbersOfAnArrayAreImputed) {
  put_bytes("x.npy", npy("<f8", "(3,)", bytes_of<double>({1, NAN, 3})));
  run_file("x.npy", {{"impute", impute("mean")}});
  EXPECT_THAT(train().features, ElementsAre(1, 2, 3));
}

TEST_F(Formats, IdxImagesWithTheirLabels) {
  put_bytes("images-idx3-ubyte", idx(8, {2, 2, 2}, "\x01\x02\x03\x04\xFF\x06\x07\x08"));
  put_gzip("labels-idx1-ubyte.gz", idx(8, {2}, "\x05\x09"));
  run_with_labels("images-idx3-ubyte", "labels-idx1-ubyte.gz", {{"target", target("label")}});
  EXPECT_THAT(train().features, ElementsAre(1, 2, 3, 4, 255, 6, 7, 8));
  EXPECT_THAT(dataset().schema().classes, ElementsAre("5", "9"));
  put_bytes("images-idx3-ubyte", idx(8, {3, 2, 2}, "\x01\x02\x03\x04\xFF\x06\x07\x08"));
  EXPECT_THAT(failure([&] { run_file("images-idx3-ubyte", Json::object()); }), HasSubstr("it is cut off"));
}

TEST_F(Formats, Hdf5DatasetsAreColumns) {
  // Kernmill's own datasets are HDF5 files like any other.
  run_text("a,b,y\n1,2,5\n3,4,6\n7,8,5\n", {{"target", target("y", "number")}});
  std::filesystem::path file = directory / "input.h5";
  if (comm.is_root()) std::filesystem::rename(directory / "dataset.h5", file);
  MPI_Barrier(comm.handle());
  run(file,
      {{"datasets", {"train/features", "train/target"}}, {"target", target("train/target[0]", "number")}});
  EXPECT_THAT(dataset().schema().features, ElementsAre("train/features[0]", "train/features[1]"));
  EXPECT_THAT(train().features, ElementsAre(1, 2, 3, 4, 7, 8));
  EXPECT_THAT(train().target, ElementsAre(5, 6, 5));
  EXPECT_THAT(failure([&] { run(file, Json::object()); }), HasSubstr("has no table of numbers at its root"));
  EXPECT_THAT(failure([&] {
                run(file, {{"datasets", {"schema/features"}}});
              }),
              HasSubstr("is no table of numbers"));
  EXPECT_THAT(failure([&] { run_text("a\n1\n", {{"format", "hdf5"}}); }), HasSubstr("is not an HDF5 file"));
}

/// A dataset of n values of an enumeration of bytes, and one of n halves, as h5py makes them.
void put_enumeration(const std::filesystem::path& file, std::initializer_list<const char*> names,
                     std::vector<std::int8_t> values) {
  const hid_t made = H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t type = H5Tenum_create(H5T_STD_I8LE), half = H5Tcopy(H5T_IEEE_F32LE);
  std::int8_t next = 0;
  for (const char* name : names) {
    H5Tenum_insert(type, name, &next);
    ++next;
  }
  H5Tset_fields(half, 15, 10, 5, 0, 10);
  H5Tset_size(half, 2);
  H5Tset_ebias(half, 15);
  const hsize_t count = values.size();
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t kinds = H5Dcreate2(made, "kind", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t sizes = H5Dcreate2(made, "size", half, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(kinds, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  std::vector<float> halves(values.size());
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = 0.25F * static_cast<float>(i);
  H5Dwrite(sizes, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, halves.data());
  for (const hid_t dataset : {kinds, sizes}) H5Dclose(dataset);
  for (const hid_t own : {type, half}) H5Tclose(own);
  H5Sclose(space);
  H5Fclose(made);
}

TEST_F(Formats, Hdf5EnumerationsAreCategoriesByTheirNames) {
  const auto put_kinds = [&](const char* file, std::initializer_list<const char*> names,
                             const std::vector<std::int8_t>& values) {
    if (comm.is_root()) put_enumeration(directory / file, names, values);
    MPI_Barrier(comm.handle());
  };
  put_kinds("x.h5", {"oak", "ash", "elm"}, {1, 0, 2, 1});
  run_file("x.h5", {{"encode", encode("one_hot")}});
  EXPECT_THAT(dataset().schema().features, ElementsAre("kind=ash", "kind=elm", "kind=oak", "size"));
  EXPECT_THAT(train().features, ElementsAre(1, 0, 0, 0, 0, 0, 1, 0.25, 0, 1, 0, 0.5, 1, 0, 0, 0.75));
  run_file("x.h5", {{"target", target("kind")}});
  EXPECT_THAT(dataset().schema().classes, ElementsAre("ash", "elm", "oak"));
  EXPECT_THAT(train().target, ElementsAre(0, 2, 1, 0));
  EXPECT_THAT(failure([&] { run_file("x.h5", Json::object()); }),
              HasSubstr("'ash' in column 'kind' is not a number @ "));
  put_kinds("y.h5", {"FALSE", "TRUE"}, {1, 0, 1, 1});
  run_file("y.h5", Json::object());
  EXPECT_THAT(train().features, ElementsAre(1, 0, 0, 0.25, 1, 0.5, 1, 0.75));
  run_file("y.h5", {{"target", target("kind")}});
  EXPECT_THAT(dataset().schema().classes, ElementsAre("FALSE", "TRUE"));
  put_kinds("z.h5", {"oak", "ash"}, {1, 0, 7});
  EXPECT_THAT(failure([&] {
                run_file("z.h5", {{"target", target("kind")}});
              }),
              HasSubstr("'7' in column 'kind' has no name in its enumeration @ "));
}

}  // namespace
}  // namespace kernmill::tasks
