#include "cli/ctl/arguments.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <boost/json/stream_parser.hpp>
#include <fmt/format.h>

namespace coordination::ctl {

namespace json = boost::json;

namespace {

struct CloseFile {
    void operator()(std::FILE* file) const
    {
        if (file != stdin)
            std::fclose(file);
    }
};

std::string position(std::string_view text, std::size_t offset)
{
    const auto before = text.substr(0, std::min(offset, text.size()));
    const auto line = std::ranges::count(before, '\n') + 1;
    const auto column = before.size() - (before.rfind('\n') + 1); // npos + 1 is 0: the first line
    return fmt::format("line {}, column {}", line, column + 1);
}

std::string_view trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

} // namespace

std::vector<std::string> parse_list(std::string_view text)
{
    std::vector<std::string> names;
    while (!text.empty()) {
        const auto comma = text.find(',');
        if (const auto name = trimmed(text.substr(0, comma)); !name.empty())
            names.emplace_back(name);
        text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    }
    return names;
}

tl::expected<std::string, std::string> read_file(const std::string& path)
{
    errno = 0;
    const std::unique_ptr<std::FILE, CloseFile> file(path == "-" ? stdin : std::fopen(path.c_str(), "rb"));
    if (!file)
        return tl::unexpected(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    std::string text;
    std::array<char, 65536> block{};
    while (const auto count = std::fread(block.data(), 1, block.size(), file.get()))
        text.append(block.data(), count);
    if (std::ferror(file.get()) != 0)
        return tl::unexpected(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    return text;
}

tl::expected<json::value, std::string> parse_json(std::string_view text)
{
    json::stream_parser parser;
    boost::system::error_code error;
    const auto consumed = parser.write_some(text.data(), text.size(), error);
    const auto rest = text.substr(consumed);
    if (error)
        return tl::unexpected(fmt::format("{}: {}", position(text, consumed), error.message()));
    parser.finish(error);
    if (error)
        return tl::unexpected(fmt::format("{}: the JSON ends too early", position(text, text.size())));
    if (rest.find_first_not_of(" \t\r\n") != std::string_view::npos)
        return tl::unexpected(fmt::format("{}: something follows the JSON", position(text, consumed)));
    return parser.release();
}

tl::expected<json::value, std::string> read_json_argument(const std::string& text)
{
    if (!text.starts_with('@'))
        return parse_json(text);
    const auto path = text.substr(1);
    const auto content = read_file(path);
    if (!content)
        return tl::unexpected(content.error());
    auto value = parse_json(*content);
    if (!value)
        return tl::unexpected(path + ", " + value.error());
    return value;
}

tl::expected<json::object, std::string> read_object_argument(const std::string& text)
{
    auto value = read_json_argument(text);
    if (!value)
        return tl::unexpected(value.error());
    if (!value->is_object())
        return tl::unexpected<std::string>("it must be a JSON object, {…}");
    return std::move(value->get_object());
}

} // namespace coordination::ctl
