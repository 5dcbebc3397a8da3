# A fact that comes with the bundle.
Facter.add(:five_fact) do
  setcode { 'a fact of the bundle' }
end
