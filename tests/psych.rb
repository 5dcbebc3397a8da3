# Reads JSON lines of one YAML document each, and answers what Puppet would see
# in each: the call is that of lib/puppet/util/yaml.rb.
require 'json'
require 'yaml'

def typed(value)
  case value
  when nil then ['null']
  when true, false then ['boolean', value]
  when Integer then ['integer', value.to_s]
  when Float then ['float', value.nan? ? 'nan' : [value].pack('G').unpack1('H*')]
  when String
    ascii = value.ascii_only?
    ascii || value.encoding == Encoding::UTF_8 ? ['string', value.encode('UTF-8')] : ['other', 'binary']
  when Array then ['array', value.map { |item| typed(item) }]
  when Hash
    return ['other', value.class.name] unless value.instance_of?(Hash)
    ['hash', value.map { |key, item| [typed(key), typed(item)] }]
  else ['other', value.class.name]
  end
end

$VERBOSE = nil
STDIN.set_encoding('UTF-8')
STDIN.each_line do |line|
  answer =
    begin
      value = YAML.safe_load(JSON.parse(line).first, permitted_classes: [Symbol], aliases: true)
      { 'value' => typed(value) }
    rescue SystemStackError, StandardError, Psych::Exception => error
      { 'error' => error.class.name, 'message' => error.message }
    end
  STDOUT.puts(JSON.generate(answer, max_nesting: 0))
end
