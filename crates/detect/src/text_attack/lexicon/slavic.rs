//! Polish and Russian.

use super::{Concept::*, Entries};

pub(super) const POLISH: &[Entries] = &[
    (
        Override,
        "zignoruj*|ignoruj*|zapomnij o|zapomnij|zapomnijcie|pomiń|pomin|nie przestrzegaj|odrzuć|anuluj|wyłącz|nie stosuj|przestań przestrzegać|lekceważ",
    ),
    (Bypass, "omiń|obejdź|omijaj"),
    (Prior, "poprzedni*|wcześniejsz*|powyższ*|dotychczasow*|pierwotn*|otrzyman*|powyżej|istniejąc*"),
    (Everything, "wszystko|wszystkie|wszystkich|wszelkie|każd*"),
    (Instructions, "instrukcj*|polece*|zasad*|reguł*|wytyczn*|ograniczen*|rozkaz*|nakaz*"),
    (Yours, "twoje|twój|twoja|twoich|swoje|swój|swoich|systemow*"),
    (Safety, "bezpieczeństw*|filtr*|zabezpiecze*|cenzur*"),
    (
        SystemPrompt,
        "prompt systemow*|promptu systemow*|komunikat systemow*|instrukcje systemow*|swoje instrukcje|twoje instrukcje|swoich instrukcji|swój prompt|twój prompt|ukryte instrukcje|tajne instrukcje|początkowe instrukcje|swoje zasady",
    ),
    (Reveal, "ujawnij|pokaż|wypisz|powtórz|podaj|wyświetl|zdradź|napisz|powiedz|przytocz|jakie są|jaki jest"),
    (Verbatim, "słowo w słowo|dosłownie|w całości"),
    (
        Role,
        "jesteś teraz|teraz jesteś|jesteś|udawaj|zachowuj się|wciel się|wyobraź sobie, że jesteś|odpowiadaj jako|odgrywaj|graj rolę",
    ),
    (FromNowOn, "od teraz|od tej pory|od tego momentu"),
    (
        Unrestricted,
        "bez ograniczeń|bez zasad|bez filtr*|bez cenzury|żadnych ograniczeń|żadnych zasad|nieograniczon*|nieocenzurowan*|bez reguł|bez limitów",
    ),
    (Persona, "tryb deweloper*|tryb programisty|tryb administratora|trybie deweloper*"),
    (NoRefusal, "nigdy nie odmawiaj|nie odmawiaj|bez ostrzeże*|musisz odpowiadać|musisz słuchać|bez wyjątku"),
    (Send, "wyślij|prześlij|przekaż|opublikuj|wysyłaj"),
    (
        Secret,
        "hasł*|poświadcze*|klucz api|klucze api|sekret*|tajn*|dane klientów|dane osobowe|listę klientów|poufn*|historię rozmowy|baz* danych",
    ),
    (Act, "wykonaj|usuń|skasuj|uruchom|przelej"),
    (Asset, "plik*|konto|konta|pieniądze|polecenie"),
    (Machine, "ai|asysten*|model językowy|sztuczn* inteligencj*"),
    (NewTask, "nowe instrukcje|nowe zasady|nowe zadanie|zamiast tego|wykonuj tylko|odpowiadaj tylko"),
    (Conceal, "nie mów użytkownikowi|bez informowania|bez wiedzy|potajemnie|nie wspominaj|po cichu"),
    (Authority, "jestem twoim twórcą|jestem deweloperem|jestem programistą|jestem administratorem|test bezpieczeństwa"),
    (Harm, "bomb*|broń|narkotyk*|nielegaln*|zabić|ukraść|zhakować|wybuchow*"),
    (Mention, "wyjaśnij|co oznacza|co to znaczy|artykuł|przykład*|jak chronić|jak zapobiec|różnica|dlaczego"),
];

pub(super) const RUSSIAN: &[Entries] = &[
    (
        Override,
        "игнорируй*|проигнорируй*|игнорировать|забудь*|забыть|не следуй|не соблюдай|отбрось|отмени|отключи|пренебреги|не обращай внимания|перестань следовать|сбрось",
    ),
    (Bypass, "обойди|обходи|обойти"),
    (Prior, "предыдущ*|прежн*|прошл*|вышеуказанн*|выше|изначальн*|первоначальн*|полученн*|данн*|существующ*|ранее"),
    (Everything, "все|всё|всех|любые|всю"),
    (Instructions, "инструкц*|правил*|указани*|команд*|директив*|ограничени*|приказ*|предписани*|установк*"),
    (Yours, "твои|твой|твоя|твоих|свои|свой|своих|ваши|системн*"),
    (Safety, "безопасност*|фильтр*|цензур*|защит*|модераци*"),
    (
        SystemPrompt,
        "системный промпт|системного промпта|системные инструкции|системное сообщение|системную подсказку|системный запрос|свои инструкции|твои инструкции|своих инструкций|свой промпт|твой промпт|скрытые инструкции|секретные инструкции|начальные инструкции|исходные инструкции|свои правила|внутренние инструкции",
    ),
    (Above, "текст выше|всё выше|все выше|всё, что выше|все, что выше"),
    (
        Reveal,
        "покажи*|раскрой*|выведи*|повтори*|напечатай*|скажи*|напиши*|назови*|выдай*|сообщи*|перечисли*|какие у тебя|каковы|процитируй",
    ),
    (Verbatim, "дословно|слово в слово|полностью|целиком"),
    (
        Role,
        "ты теперь|теперь ты|ты —|ты - |притворись|представь, что ты|веди себя|действуй как|отвечай как|сыграй роль|играй роль|в роли|вообрази",
    ),
    (FromNowOn, "отныне|с этого момента|с этой минуты|впредь|с данного момента"),
    (
        Unrestricted,
        "без ограничений|без правил|без фильтров|без цензуры|никаких ограничений|никаких правил|неограниченн*|без каких-либо|нет ограничений|нет правил|свободен от",
    ),
    (Persona, "режим разработчика|режим администратора|режиме разработчика|режим отладки|режим бога"),
    (
        NoRefusal,
        "никогда не отказывай*|не отказывай*|без предупреждени*|должен отвечать|обязан отвечать|должен подчиняться|несмотря ни на что",
    ),
    (Send, "отправь*|перешли*|передай*|загрузи*|опубликуй*|вышли"),
    (
        Secret,
        "парол*|учетные данные|учётные данные|ключ api|api-ключ*|ключи|секрет*|данные клиентов|персональные данные|личные данные|список клиентов|конфиденциальн*|историю переписки|баз* данных",
    ),
    (Act, "выполни*|удали*|запусти*|переведи|установи"),
    (Asset, "файл*|счет*|деньги|команду|папк*"),
    (Machine, "ии|ассистент*|языковая модель|языковую модель|искусственн* интеллект*|нейросет*|чат-бот*"),
    (
        NewTask,
        "новые инструкции|новая инструкция|новое задание|новые правила|вместо этого|следуй только|отвечай только|следующие инструкции",
    ),
    (Conceal, "не говори пользователю|не сообщай пользователю|без ведома|тайно|втайне|не упоминай|скрытно"),
    (Authority, "я твой разработчик|я разработчик|я администратор|я твой создатель|проверка безопасности|уполномочен"),
    (Harm, "бомб*|взрывчат*|оружи*|наркотик*|незаконн*|украсть|убить|взломать|вирус"),
    (
        Mention,
        "объясни|что значит|что означает|значение|статья|статью|пример*|как защитить|как предотвратить|разница|почему",
    ),
];
