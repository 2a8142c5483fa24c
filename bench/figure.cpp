#include "figure.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <cstdio>
#include <limits>

namespace sx_bench {
namespace {

using Row = std::vector<std::string>;

std::string verdict(const Figure& figure) {
  if (figure.values.empty()) return "none";
  if (!figure.limit) return "";
  return figure.over() ? "OVER" : "ok";
}

std::vector<Row> rows_of(const Figures& figures) {
  std::vector<Row> rows{{"figure", "n", "median", "min", "max", "limit", "", "[Go executor]"}};
  for (const auto& f : figures) {
    rows.push_back({f.name + (f.unit.empty() ? "" : ", " + f.unit), std::to_string(f.values.size()),
                    shown(f.median()), shown(f.quantile(0)), shown(f.quantile(1)), limit_of(f),
                    verdict(f), f.go.empty() ? "" : "[" + f.go + "]"});
  }
  return rows;
}

std::string padded(const std::string& text, std::size_t width, bool left) {
  const std::string blanks(width - std::min(width, text.size()), ' ');
  return left ? text + blanks : blanks + text;
}

std::string join(const Row& row, const std::vector<std::size_t>& widths, const char* begin,
                 const char* between, const char* end) {
  std::string line = begin;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) line += between;
    line += padded(row[i], widths[i], i == 0 || i >= 6);
  }
  line += end;
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line + "\n";
}

std::vector<std::size_t> widths_of(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows[0].size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  return widths;
}

}  // namespace

double Figure::quantile(double q) const {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const double above = sorted[std::min(below + 1, sorted.size() - 1)];
  return sorted[below] + (above - sorted[below]) * (at - static_cast<double>(below));
}

bool Figure::over() const { return limit && !values.empty() && median() > *limit; }

const Figure* find_figure(const Figures& figures, const std::string& id) {
  const auto found =
      std::find_if(figures.begin(), figures.end(), [&id](const Figure& f) { return f.id == id; });
  return found == figures.end() ? nullptr : &*found;
}

std::string shown(double value) {
  if (std::isnan(value)) return "-";
  const double size = std::abs(value);
  const bool whole = value == std::floor(value) && size < 1e6;
  char text[32];
  std::snprintf(text, sizeof(text), "%.*f",
                whole         ? 0
                : size >= 100 ? 0
                : size >= 10  ? 1
                              : 2,
                value);
  return text;
}

std::string limit_of(const Figure& figure) { return figure.limit ? shown(*figure.limit) : ""; }

std::string text_table(const Figures& figures) {
  const auto rows = rows_of(figures);
  const auto widths = widths_of(rows);
  std::string table;
  for (const auto& row : rows) table += join(row, widths, "", "  ", "");
  return table;
}

std::string markdown_table(const Figures& figures) {
  const auto rows = rows_of(figures);
  const auto widths = widths_of(rows);
  std::string table;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    table += join(rows[i], widths, "| ", " | ", " |");
    if (i > 0) continue;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      table += std::string("|") + std::string(std::max<std::size_t>(widths[c], 1) + 1, '-');
      table += c == 0 || c >= 6 ? "-" : ":";
    }
    table += "|\n";
  }
  return table;
}

boost::json::value to_json(const Figures& figures) {
  boost::json::array list;
  for (const auto& f : figures) {
    boost::json::object one{{"id", f.id}, {"name", f.name}, {"unit", f.unit}, {"go", f.go}};
    one["limit"] = f.limit ? boost::json::value(*f.limit) : nullptr;
    if (!f.values.empty()) {
      one["median"] = f.median();
      one["min"] = f.quantile(0);
      one["max"] = f.quantile(1);
      one["over"] = f.over();
    }
    one["values"] = boost::json::array(f.values.begin(), f.values.end());
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace sx_bench
