type U::Mode = Pattern[/\A[0-7]{3,4}\z/]
