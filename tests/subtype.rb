# Puppet's own answer: of each pair of types in a JSON list on stdin, whether
# the second takes all values of the first.
require 'puppet'
require 'json'
Puppet.initialize_settings([])
parser = Puppet::Pops::Types::TypeParser.singleton
puts JSON.generate(JSON.parse($stdin.read).map { |inner, outer| parser.parse(outer).assignable?(parser.parse(inner)) })
