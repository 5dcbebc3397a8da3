# Puppet's own answer: for each text of a JSON list on stdin why it cannot be parsed, or null.
require 'puppet'
require 'json'
Puppet.initialize_settings([])
Puppet::Util::Log.level = :err
parser = Puppet::Pops::Parser::EvaluatingParser.new
puts JSON.generate(JSON.parse($stdin.read).map { |text|
  begin
    parser.parse_string(text, 'x.pp')
    nil
  rescue StandardError => error
    error.message
  end
})
