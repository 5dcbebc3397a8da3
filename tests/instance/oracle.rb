# Puppet's own answer: of each pair of a type and a value in a JSON list on stdin, whether the type
# takes the value; null where it is no type. Types are evaluated as in a manifest, aliases are those
# of the modulepath that is the argument. Values are YAML.
require 'puppet'
require 'json'
require 'tmpdir'
Puppet.initialize_settings(['--confdir', '/nonexistent', '--vardir', Dir.mktmpdir])
Puppet::Util::Log.level = :crit
environment = Puppet::Node::Environment.create(:production, [ARGV[0]])
Puppet.override(current_environment: environment, environments: Puppet::Environments::Static.new(environment)) do
  node = Puppet::Node.new('node', environment: environment)
  compiler = Puppet::Parser::Compiler.new(node)
  Puppet.override(loaders: compiler.loaders) do
    evaluator = Puppet::Pops::Parser::EvaluatingParser.new
    types = Hash.new do |known, text|
      known[text] = begin
        type = evaluator.evaluate_string(compiler.topscope, text)
        type.is_a?(Puppet::Pops::Types::PAnyType) ? type : nil
      rescue StandardError, SystemStackError
        nil
      end
    end
    answers = JSON.parse($stdin.read).map do |text, value|
      next unless types[text]

      # As the parameter of a class, which is more lenient than `instance?`.
      parameters = Puppet::Pops::Types::TypeFactory.struct('p' => types[text])
      given = Puppet::Util::Yaml.safe_load("p: #{value}", [Symbol])
      Puppet::Pops::Types::TypeMismatchDescriber.validate_parameters('x', parameters, given, false)
      true
    rescue Puppet::Error
      false
    rescue StandardError, SystemStackError
      nil
    end
    puts JSON.generate(answers)
  end
end
