# Compiles each ENC of a JSON list on stdin with the real compiler of the Puppet
# that is installed, against the modulepath that is the argument; prints, for
# each, null or Puppet's error.
require 'puppet'
require 'json'
require 'tmpdir'
Puppet.initialize_settings(['--confdir', '/nonexistent', '--vardir', Dir.mktmpdir])
Puppet::Util::Log.level = :crit
facts = Puppet::Node::Facts.new('node', Facter.to_hash.merge('clientversion' => Puppet.version))
documents = JSON.parse($stdin.read)
# One environment for all, as a server has it: each manifest is read once.
environment = Puppet::Node::Environment.create(:production, ARGV[0].split(':'))
loaders = Puppet::Environments::Static.new(environment)
answers = documents.map do |enc|
  Puppet.override(current_environment: environment, environments: loaders) do
    node = Puppet::Node.new('node', facts: facts, environment: environment, classes: enc['classes'])
    node.merge(facts.values)
    Puppet::Parser::Compiler.compile(node)
    nil
  rescue StandardError, LoadError => error
    error.message.to_s
  end
end
puts JSON.generate(answers)
