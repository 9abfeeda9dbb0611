#include <array>
#include <cstring>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "data_fixture.hpp"

/// How features lie in a dataset, and that they are what they were.
namespace kernmill::tasks {
namespace {

using storage::Element;
using storage::Part;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PrecisionOf : public Preprocessing {
 protected:
  template <class T>
  void put_npy(const std::string& name, const char* type, std::uint64_t rows, std::uint64_t columns,
               const std::vector<T>& values) {
    std::string text =
        fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}, {}), }}\n", type, rows, columns);
    const auto length = static_cast<std::uint16_t>(text.size());
    std::string bytes("\x93NUMPY\x01\0", 8);
    bytes.append(reinterpret_cast<const char*>(&length), 2);
    bytes += text;
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    put_bytes(name, bytes);
  }
  std::vector<Rows> all_rows() {
    const auto reader = dataset();
    std::vector<Rows> all;
    for (const Part part : storage::all_parts) all.push_back(rows_of(reader, part));
    return all;
  }
  /// Runs it with `auto` behind, which has to give the same bits.
  storage::Encoding lossless(const std::string& file, Json changes) {
    changes["precision"] = "float64";
    run(directory / file, changes);
    const auto expected = all_rows();
    EXPECT_EQ(dataset().encoding().features, Element::f64);
    EXPECT_THAT(dataset().encoding().bytes, IsEmpty());
    changes["precision"] = "auto";
    run(directory / file, changes);
    const auto found = all_rows();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_TRUE(std::memcmp(found[i].features.data(), expected[i].features.data(),
                              expected[i].features.size() * sizeof(double)) == 0);
      EXPECT_EQ(found[i].target, expected[i].target);
      EXPECT_EQ(found[i].numbers, expected[i].numbers);
    }
    return dataset().encoding();
  }
  std::string failure_of(const std::string& csv, const std::string& precision,
                         const Json& more = Json::object()) {
    Json changes = more;
    changes["precision"] = precision;
    return failure([&] { run_text(csv, changes); });
  }
};

TEST_F(PrecisionOf, ImagesOfBytesStaysBytesAndTheSameBits) {
  std::mt19937 random(1);
  std::vector<std::uint8_t> images(3000UL * 100);
  for (auto& pixel : images) pixel = static_cast<std::uint8_t>(random());
  put_npy("x.npy", "|u1", 3000, 100, images);
  const Json split = random_split(0.2, 0.1, false, 3);
  for (const char* scale : {"none", "standard", "min_max", "robust"}) {
    const auto encoding = lossless("x.npy", {{"scale", scale}, {"split", split}});
    EXPECT_EQ(encoding.features, Element::u8);
    EXPECT_THAT(encoding.bytes, IsEmpty());
    EXPECT_EQ(encoding.center.empty(), std::string(scale) == "none");
  }
  const auto raw =
      static_cast<double>(images.size() + 3000 * sizeof(std::uint64_t));  // and their row numbers
  EXPECT_LT(static_cast<double>(std::filesystem::file_size(directory / "dataset.h5")), 1.1 * raw);
  EXPECT_EQ(lossless("x.npy", {{"scale", "standard"}, {"shuffle", true}, {"buffer", 1 << 14}}).features,
            Element::u8);
}

TEST_F(PrecisionOf, ArraysKeepTheirTypes) {
  put_npy<float>("f.npy", "<f4", 4, 2, {0.1F, 2, 3, 4, 5, 6, 7e30F, 8});
  EXPECT_EQ(lossless("f.npy", {{"scale", "standard"}}).features, Element::f32);
  put_npy<std::int16_t>("i.npy", "<i2", 4, 2, {-1, 2, 300, 4, 5, 6, 7, 8});
  const auto mixed = lossless("i.npy", {{"scale", "standard"}});
  EXPECT_EQ(mixed.features, Element::i32);
  EXPECT_THAT(mixed.bytes, ElementsAre(1));
  put_npy<std::int64_t>("l.npy", "<i8", 2, 2, {-1, 2, 300, 4});
  EXPECT_EQ(lossless("l.npy", Json::object()).features, Element::f64);
  // 0.1F is what is imputed: a float; the mean of two is none.
  put_npy<float>("m.npy", "<f4", 3, 1, {0.1F, NAN, 0.1F});
  EXPECT_EQ(lossless("m.npy", {{"impute", impute("median")}}).features, Element::f32);
  put_npy<float>("m.npy", "<f4", 3, 1, {0.1F, NAN, 1e-9F});
  EXPECT_EQ(lossless("m.npy", {{"impute", impute("mean")}}).features, Element::f64);
}

TEST_F(PrecisionOf, ZerosAndOnesAndSmallWholeNumbersAreBytes) {
  std::string csv = "x,city,age,n,y\n";
  for (int i = 0; i < 500; ++i)
    csv += fmt::format("{},{},{},{},{}\n", i * 0.37, std::array{"Bonn", "Ulm", "Aachen"}[i % 3], i % 90,
                       i % 7 == 0 ? "" : std::to_string(i % 200), i % 4 == 0 ? "a" : "b");
  put(directory / "x.csv", csv);
  Json changes = {{"target", target("y")},
                  {"encode", encode("one_hot")},
                  {"impute", impute("median", "", true)},
                  {"split", random_split(0.2, 0, true, 1)}};
  const auto encoding = lossless("x.csv", changes);
  EXPECT_EQ(encoding.features, Element::f64);
  EXPECT_EQ(encoding.target, Element::i32);
  // x, city=Aachen, city=Bonn, city=Ulm, age, n, and what was missing of each
  EXPECT_THAT(encoding.bytes, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
  changes["scale"] = "standard";
  EXPECT_THAT(lossless("x.csv", changes).bytes, ElementsAre(1, 2, 3, 6, 7, 8, 9));
  changes["balance"] = "oversample";
  changes["shuffle"] = true;
  EXPECT_THAT(lossless("x.csv", changes).bytes, ElementsAre(1, 2, 3, 6, 7, 8, 9));
  changes["encode"] = encode("ordinal");
  EXPECT_THAT(lossless("x.csv", changes).bytes, ElementsAre(1, 4, 5, 6, 7));
  put(directory / "z.csv", "x,y\n-0.0,1\n1,256\n");  // a byte has no -0
  EXPECT_THAT(lossless("z.csv", Json::object()).bytes, IsEmpty());
}

TEST_F(PrecisionOf, ANarrowerTypeIsRoundedTo) {
  const std::string csv = "x,y\n0.1,1\n3.3,2\n";
  EXPECT_EQ(failure_of(csv, "float32"), "no error");
  EXPECT_THAT(rows_of(dataset(), Part::train).features,
              ElementsAre(static_cast<double>(0.1F), 1, static_cast<double>(3.3F), 2));
  EXPECT_EQ(failure_of(csv, "float16"), "no error");
  EXPECT_THAT(rows_of(dataset(), Part::train).features, ElementsAre(0.0999755859375, 1, 3.30078125, 2));
  EXPECT_EQ(failure_of(csv, "bfloat16"), "no error");
  EXPECT_THAT(rows_of(dataset(), Part::train).features, ElementsAre(0.10009765625, 1, 3.296875, 2));
  EXPECT_EQ(failure_of("x,y\n4,1\n9,0\n", "uint8", {{"scale", "standard"}}), "no error");
  EXPECT_THAT(rows_of(dataset(), Part::train).features, ElementsAre(-1, 1, 1, -1));
}

TEST_F(PrecisionOf, WhatATypeDoesNotHoldHasItsPlace) {
  const std::string csv = "x,y\n1,2\n3,400\n5,70000\n";
  EXPECT_EQ(failure_of(csv, "uint8"), "'400' in column 'y' is none that uint8 holds @ input.csv:3:3");
  EXPECT_EQ(failure_of(csv, "float16"), "'70000' in column 'y' is none that float16 holds @ input.csv:4:3");
  EXPECT_EQ(failure_of("x\n1.5\n", "int32"), "'1.5' in column 'x' is none that int32 holds @ input.csv:2:1");
  EXPECT_EQ(failure_of(csv, "int32"), "no error");
  EXPECT_THAT(failure_of("x\n1\n2\n", "uint8", {{"series", series("difference", 1, 1)}}), HasSubstr("needs"));
  EXPECT_THAT(failure_of("x\n5\n1\n2\n9\n", "uint8", {{"series", series("difference", 1, 1)}}),
              HasSubstr("is a number that uint8 does not hold"));
}

}  // namespace
}  // namespace kernmill::tasks
