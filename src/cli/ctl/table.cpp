#include "cli/ctl/table.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "cli/ctl/text.hpp"

namespace coordination::ctl {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t last_column_min = 8; // below that a terminal is too narrow to help

std::string padded(const std::string& painted, std::size_t width, std::size_t column, Align align)
{
    const std::string blanks(column > width ? column - width : 0, ' ');
    return align == Align::right ? blanks + painted : painted + blanks;
}

std::string without_trailing_blanks(std::string line)
{
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

} // namespace

Cell::Cell(std::string content, Colour tint) : text(std::move(content)), colour(tint) {}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add(std::vector<Cell> row)
{
    assert(row.size() == columns_.size());
    rows_.push_back(std::move(row));
}

std::string Table::render(const Style& style, std::size_t columns) const
{
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t width = display_width(columns_[i].title);
        for (const auto& row : rows_)
            width = std::max(width, display_width(row[i].text));
        widths.push_back(width);
    }
    if (columns > 0 && !widths.empty()) {
        std::size_t before = 0;
        for (std::size_t i = 0; i + 1 < widths.size(); ++i)
            before += widths[i] + gap;
        const auto left = columns > before ? columns - before : 0;
        widths.back() = std::min(widths.back(), std::max(left, last_column_min));
    }

    std::string out;
    const auto line = [&](const auto& cell_at) {
        std::string text;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const Cell cell = cell_at(i);
            const auto shown = shortened(cell.text, widths[i]);
            text +=
                padded(style.paint(cell.colour, shown), display_width(shown), widths[i], columns_[i].align);
            if (i + 1 < columns_.size())
                text.append(gap, ' ');
        }
        out += without_trailing_blanks(std::move(text)) + "\n";
    };
    line([&](std::size_t i) { return Cell{columns_[i].title, Colour::bold}; });
    for (const auto& row : rows_)
        line([&](std::size_t i) { return row[i]; });
    return out;
}

void Details::add(std::string name, Cell value)
{
    lines_.emplace_back(std::move(name), std::move(value));
}

std::string Details::render(const Style& style) const
{
    std::size_t width = 0;
    for (const auto& [name, value] : lines_)
        width = std::max(width, display_width(name));
    std::string out;
    for (const auto& [name, value] : lines_) {
        const auto label = padded(style.paint(Colour::dim, name), display_width(name), width, Align::left);
        out += without_trailing_blanks(label + "  " + style.paint(value.colour, value.text)) + "\n";
    }
    return out;
}

} // namespace coordination::ctl
